import { expect, it } from 'vitest';
import { type BarChart, drawBarChart } from '../../../bench/bar-chart.ts';

const CHART: BarChart = {
  title: 'Times <of> "searches" & more',
  unit: 'ms',
  series: ['server', 'gateway', 'hit'],
  rows: [
    { label: 'all runs', values: [424, 4.21, 0.6] },
    { label: 'a & b < c', values: [90_000, 1, undefined] },
  ],
};

/** An element's name, or the text between two tags; attributes are checked on the way. */
function* tokens(xml: string): Generator<{ open?: string; close?: string; text?: string }> {
  const TOKEN = /<(\/?)([a-z]+)((?: [a-zA-Z0-9-]+="[^"<]*")*)(\/?)>|([^<]+)/y;
  while (TOKEN.lastIndex < xml.length) {
    const at = TOKEN.lastIndex;
    const found = TOKEN.exec(xml);
    if (!found) throw new SyntaxError(`No XML: ${xml.slice(at, at + 80)}`);
    const [, slash, name = '', attributes = '', end, text] = found;
    if (/&(?!(?:amp|lt|gt|quot);)/.test(attributes + (text ?? ''))) throw new SyntaxError(`No entity: ${found[0]}`);
    const names = [...attributes.matchAll(/ ([a-zA-Z0-9-]+)=/g)].map(([, attribute]) => attribute);
    if (new Set(names).size < names.length) throw new SyntaxError(`An attribute twice: ${found[0]}`);
    if (text !== undefined) yield { text };
    else if (slash) yield { close: name };
    else yield end ? { open: name, close: name } : { open: name };
  }
}

/** Texts in the order of the document. @throws SyntaxError unless every element is closed where it should be. */
function textsOf(xml: string): string[] {
  const open: string[] = [];
  const texts: string[] = [];
  for (const token of tokens(xml)) {
    if (token.open) open.push(token.open);
    if (token.close && open.pop() !== token.close) throw new SyntaxError(`</${token.close}> closes nothing`);
    if (token.text !== undefined && open.at(-1) === 'text') texts.push(token.text);
  }
  expect(open).toEqual([]);
  return texts;
}

const widthsOf = (svg: string, series: number): number[] =>
  [...svg.matchAll(new RegExp(`<rect class="s${series}" x="300" y="[^"]+" width="([^"]+)"`, 'g'))].map(([, width]) =>
    Number(width),
  );

it('is well-formed, whatever the labels hold', () => {
  const texts = textsOf(drawBarChart(CHART));
  expect(texts).toContain('Times &lt;of&gt; &quot;searches&quot; &amp; more');
  expect(texts).toContain('a &amp; b &lt; c');
});

it('names every series, row and value in words', () => {
  const texts = textsOf(drawBarChart(CHART));
  expect(texts).toEqual(
    expect.arrayContaining(['server', 'gateway', 'hit', 'all runs', '424', '4.21', '0.6', '90000']),
  );
});

it('draws bars whose lengths differ by as much as their powers of ten', () => {
  const svg = drawBarChart({
    ...CHART,
    rows: [1, 10, 100, 1_000].map((value) => ({ label: String(value), values: [value] })),
  });
  const [one = 0, ten = 0, hundred = 0, thousand = 0] = widthsOf(svg, 0);
  expect(hundred - ten).toBeCloseTo(thousand - hundred, 0);
  expect(thousand - ten).toBeCloseTo(2 * ten, 0);
  expect(one).toBeGreaterThan(0);
});

it('leaves a bar out that has no value', () => {
  const svg = drawBarChart(CHART);
  expect([0, 1, 2].map((series) => widthsOf(svg, series).length)).toEqual([2, 2, 1]);
});

it('has a decade to draw on when all values are the same', () => {
  expect(textsOf(drawBarChart({ ...CHART, rows: [{ label: 'one', values: [10] }] }))).toContain('100 ms');
});

it('has colours for dark pages', () => {
  expect(drawBarChart(CHART)).toContain('@media (prefers-color-scheme:dark)');
});

it('refuses to draw nothing', () => {
  expect(() => drawBarChart({ ...CHART, rows: [] })).toThrow(RangeError);
});
