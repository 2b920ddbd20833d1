import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Filter, type Leaf, leavesOf } from '../../../src/query/ast.ts';
import { parseRunFilter } from '../../../src/query/parse-filter.ts';
import { printFilter, printLeaf } from '../../../src/query/print.ts';
import { anyFilter, conjunction, runLeaf } from '../../fixtures/arbitraries.ts';

const withoutSpan = ({ span: _span, ...leaf }: Leaf) => leaf;
const leaves = (filter: Filter | undefined) => (filter ? leavesOf(filter).map(withoutSpan) : []);
const print = (text: string) => printFilter(parseRunFilter(text));

describe('the canonical form', () => {
  it.each([
    ["attr.Created > 5 and params.lr='0.1'", "param.`lr` = '0.1' AND start_time > 5"],
    ['AND metrics.a > 1e20 AND', 'metric.`a` > 100000000000000000000'],
    ['metrics.a >= 1e400', 'metric.`a` >= 1e400'],
    ['metrics.a > 1e300', 'metric.`a` > 1e300'],
    ['start_time < 3e3', 'start_time < 3000'],
    ['`Run Name` ILIKE "a%"', "run_name ILIKE 'a%'"],
    ['tags."a`b" IS NOT NULL', 'tag."a`b" IS NOT NULL'],
    ["dataset.name IN ('b', \"it's\",)", "dataset.name IN ('b', 'it\\x27s')"],
    ['tags.q = "it\'s"', 'tag.`q` = "it\'s"'],
    ["tags.q = 'it''s'", "tag.`q` = 'it''s'"],
  ])('of %s is %s', (text, canonical) => expect(print(text)).toBe(canonical));

  it('is one for all spellings and orders', () => {
    expect(print("params.a = 'x' AND metric.b > 1")).toBe(
      print('metrics.`b` > 1.0 params."a" = "x" AND param.a = \'x\''),
    );
  });

  it('parses back to the same leaf, when the grammar has a spelling for it', () => {
    let printed = 0;
    fc.assert(
      fc.property(runLeaf, (leaf) => {
        const text = printLeaf(leaf);
        if (text === undefined) return;
        printed++;
        expect(leaves(parseRunFilter(text))).toEqual([leaf]);
      }),
      { numRuns: 3000 },
    );
    expect(printed).toBeGreaterThan(2000);
  });

  it('parses back to itself', () => {
    fc.assert(
      fc.property(conjunction, (filter) => {
        if (leavesOf(filter).some((leaf) => printLeaf(leaf) === undefined)) return;
        const text = printFilter(filter);
        expect(print(text)).toBe(text);
        expect(new Set(leaves(parseRunFilter(text)).map((leaf) => printLeaf(leaf)))).toEqual(
          new Set(leaves(filter).map((leaf) => printLeaf(leaf))),
        );
      }),
      { numRuns: 1000 },
    );
  });

  it('tells trees apart, also those beyond the grammar', () => {
    fc.assert(
      fc.property(anyFilter, anyFilter, (a, b) => {
        const plain = (filter: Filter) =>
          JSON.stringify(leaves(filter), (_k, v) => (typeof v === 'bigint' ? `${v}n` : v));
        if (printFilter(a) === printFilter(b)) expect(new Set(plain(a))).toEqual(new Set(plain(b)));
      }),
    );
  });
});
