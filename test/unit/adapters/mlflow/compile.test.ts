import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compileFilter, compileOrder } from '../../../../adapters/mlflow/compile.ts';
import type { Field, Filter, Leaf } from '../../../../src/query/ast.ts';
import { leavesOf } from '../../../../src/query/ast.ts';
import { totalOrder } from '../../../../src/query/order.ts';
import { parseRunFilter } from '../../../../src/query/parse-filter.ts';
import { parseRunOrder } from '../../../../src/query/parse-order.ts';
import { anyFilter, conjunction } from '../../../fixtures/arbitraries.ts';

const param: Field = { entity: 'param', key: 'p' };
const metric: Field = { entity: 'metric', key: 'm' };
const startTime: Field = { entity: 'attribute', key: 'start_time' };
const is = (field: Field, value: string | number | bigint, op: '=' | '<' = '='): Leaf => ({
  kind: 'compare',
  field,
  op,
  value,
});

describe('a filter', () => {
  it.each<[Filter, string]>([
    [is(param, "it's"), 'param.`p` = "it\'s"'],
    [is(param, 'say "hi"'), 'param.`p` = \'say "hi"\''],
    [is({ entity: 'tag', key: 'a`b' }, 'x'), 'tag."a`b" = \'x\''],
    [is(metric, 1e21, '<'), 'metric.`m` < 1e21'],
    [is(metric, Number.POSITIVE_INFINITY, '<'), 'metric.`m` < 1e400'],
    [is(metric, 5e-324, '<'), 'metric.`m` < 5e-324'],
    [is(startTime, 9223372036854775807n), 'start_time = 9223372036854775807'],
    [is(startTime, 0.5, '<'), 'start_time < 0.5'],
    [
      { kind: 'member', field: { entity: 'attribute', key: 'run_id' }, values: ['a', "é\n\\'"], negated: true },
      "run_id NOT IN ('a', 'é\\x0a\\x5c\\x27')",
    ],
    [
      {
        kind: 'and',
        terms: [
          is(param, 'x'),
          { kind: 'and', terms: [is(metric, 1), { kind: 'null-test', field: param, negated: true }] },
        ],
      },
      "param.`p` = 'x' AND metric.`m` = 1 AND param.`p` IS NOT NULL",
    ],
    [{ kind: 'and', terms: [] }, ''],
  ])('number %# is printed', (filter, text) =>
    expect(compileFilter(filter, 'sqlite')).toEqual({ text, residual: undefined }),
  );

  it.each<[string, Filter]>([
    ['OR', { kind: 'or', terms: [is(param, 'x'), is(param, 'y')] }],
    ['NOT', { kind: 'not', term: is(param, 'x') }],
    ['a value with both kinds of quote', is(param, `it's "it"`)],
    ['a value that ends in a backslash', is(param, 'C:\\')],
    ['a key with all kinds of quote', is({ entity: 'param', key: `\`'"` }, 'x')],
    ['half a surrogate pair', is(param, '\ud800')],
    ['a NUL', is(param, 'a\0b')],
    ['NaN', is(metric, Number.NaN)],
    ['an integer beyond 64 bits', is(startTime, 2n ** 63n)],
    ['an order of texts', is(param, 'x', '<')],
    ['a text where a number belongs', is(metric, 'x')],
    ['LIKE on a number', { kind: 'match', field: metric, pattern: '%', ignoreCase: false }],
    ['a list of params', { kind: 'member', field: param, values: ['x'], negated: false }],
    ['an empty list', { kind: 'member', field: { entity: 'attribute', key: 'run_id' }, values: [], negated: false }],
    ['IS NULL on an attribute', { kind: 'null-test', field: { entity: 'attribute', key: 'status' }, negated: false }],
    ['an attribute of experiments', is({ entity: 'attribute', key: 'name' }, 'x')],
  ])('leaves %s to the gateway', (_what, filter) => {
    expect(compileFilter(filter, 'sqlite')).toEqual({ text: '', residual: filter });
    const both: Filter = { kind: 'and', terms: [is(metric, 1), filter] };
    expect(compileFilter(both, 'sqlite')).toEqual({ text: 'metric.`m` = 1', residual: filter });
  });

  it('leaves infinities to the gateway where the driver refuses them', () => {
    const filter = is(metric, Number.NEGATIVE_INFINITY, '<');
    expect(compileFilter(filter, 'mysql').residual).toEqual(filter);
    expect(compileFilter(filter, 'postgresql').residual).toBeUndefined();
  });

  it('is split so that text and residual together are the filter', () => {
    fc.assert(
      fc.property(fc.oneof(anyFilter, conjunction), (filter) => {
        const { text, residual } = compileFilter(filter, 'sqlite');
        // The empty text is no filter to MLflow.
        const printed = text === '' ? [] : [parseRunFilter(text) ?? []].flat();
        const bare = (leaves: readonly Leaf[]) => leaves.map(({ span: _span, ...leaf }) => leaf);
        const parts = [...printed, ...(residual ? [residual] : [])].flatMap(leavesOf);
        const byText = (leaves: readonly Leaf[]) =>
          bare(leaves)
            .map((leaf) => JSON.stringify(leaf, (_key, value) => (typeof value === 'bigint' ? `${value}` : value)))
            .sort();
        expect(byText(parts)).toEqual(byText(leavesOf(filter)));
      }),
      { numRuns: 1000 },
    );
  });
});

describe('an order', () => {
  const key = (clause: string) => parseRunOrder([clause])[0] as ReturnType<typeof parseRunOrder>[number];
  const compile = (...clauses: string[]) => compileOrder(totalOrder(clauses.map(key)));

  it.each([
    [[], []],
    [['start_time DESC'], []],
    [['start_time'], ['start_time ASC']],
    [['run_id'], ['run_id ASC']],
    [['run_id DESC'], ['run_id DESC']],
    [
      ['metrics.a', 'run_id'],
      ['metric.`a` ASC', 'run_id ASC'],
    ],
    [
      ['start_time DESC', 'metrics.a'],
      ['start_time DESC', 'metric.`a` ASC'],
    ],
    [['params.`a b` DESC'], ['param.`a b` DESC']],
  ])('%j goes out as %j, without what MLflow adds', (asked, sent) => expect(compile(...asked)).toEqual(sent));

  it('keeps a duplicate, so that MLflow can refuse it', () => {
    const twice = [key('start_time DESC'), key('start_time DESC')];
    expect(compileOrder([...twice, key('run_id')])).toEqual(['start_time DESC', 'start_time DESC']);
  });

  it('with a key that has no spelling is left to the gateway', () => {
    expect(compileOrder([{ field: { entity: 'tag', key: 'a`b' }, descending: false }])).toBeUndefined();
    expect(compileOrder([{ field: { entity: 'attribute', key: 'name' }, descending: false }])).toBeUndefined();
  });
});
