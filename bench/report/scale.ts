import type { ScaleResult, Size } from '../scale.ts';
import { geometricMean } from '../statistics.ts';
import { megabytes, ms, spread, table, whole } from './markdown.ts';

export type ScaleSection = { readonly samples: number } & ScaleResult;

const describeSize = ({ runs, loadedPerSecond, diskBytes }: Size): string[] => [
  `${runs}`,
  whole(loadedPerSecond),
  megabytes(diskBytes),
];

export function describeScale({ samples, small, large, pages, peakMemoryMiB }: ScaleSection): string {
  const pairs = large.searches.flatMap((search, i) => {
    const before = small.searches[i];
    return before ? [{ search, before }] : [];
  });
  const ratios = pairs.map(({ search, before }) => ({
    gateway: search.gateway.p50 / before.gateway.p50,
    raw: search.raw.p50 / before.raw.p50,
    toRaw: search.gateway.p50 / search.raw.p50,
  }));
  const rows = pairs.map(({ search, before }, i) => [
    search.name,
    `${search.rows}`,
    spread(before.gateway),
    spread(search.gateway),
    (ratios[i]?.gateway ?? Number.NaN).toFixed(2),
    ms(before.raw.p50),
    ms(search.raw.p50),
    (ratios[i]?.raw ?? Number.NaN).toFixed(2),
    (ratios[i]?.toRaw ?? Number.NaN).toFixed(2),
  ]);
  const mean = (of: 'gateway' | 'raw' | 'toRaw') => geometricMean(ratios.map((ratio) => ratio[of])).toFixed(2);
  const pageRatios = pages.map(({ first, deep }) => deep.p50 / first.p50);
  const pageRows = pages.map(({ name, page, first, deep }, i) => [
    ...[name, `${page}`, spread(first), spread(deep)],
    (pageRatios[i] ?? Number.NaN).toFixed(2),
  ]);
  return `## Ten times the runs

The same searches in one index that is filled further, pages of 100, no cache, one client, ${samples} samples a side in turns. Times
in ms: p50 / p95 / p99; ratios go by p50.

${table(['runs', 'loaded a second', 'MB on disk'], [describeSize(small), describeSize(large)])}

${table(
  [
    ...['search', 'rows', `gateway, ${small.runs}`, `gateway, ${large.runs}`, 'ratio'],
    ...[`raw, ${small.runs}`, `raw, ${large.runs}`, 'ratio', `gateway to raw, ${large.runs}`],
  ],
  [...rows, ['geometric mean', '', '', '', mean('gateway'), '', '', mean('raw'), mean('toRaw')]],
)}

A page far down, reached by the tokens of those before it, against the first one, over ${large.runs} runs; the page alone.

${table(
  ['search', 'page', 'first page', 'that page', 'ratio'],
  [...pageRows, ['geometric mean', '', '', '', geometricMean(pageRatios).toFixed(2)]],
)}

The gateway held ${whole(peakMemoryMiB)} MiB at most.`;
}
