import { describe, expect, it } from 'vitest';
import { isOrdered, splitFilter } from '../../../../adapters/elasticsearch/push-down.ts';
import type { Dialect } from '../../../../src/domain/dialect.ts';
import type { Filter, Leaf } from '../../../../src/query/ast.ts';
import { parseRunFilter } from '../../../../src/query/parse-filter.ts';
import { parseRunOrder } from '../../../../src/query/parse-order.ts';

const ALL: readonly Dialect[] = ['sqlite', 'postgresql', 'mysql'];
const EVERY: readonly Dialect[] = ['sqlite', 'postgresql', 'postgresql-c', 'mysql'];
const BY_BYTES: readonly Dialect[] = ['sqlite', 'postgresql-c'];
const long = (length: number) => 'x'.repeat(length);

/** Who evaluates the clause in the index; the others leave it to the gateway. */
const CLAUSES: [filter: string, dialects: readonly Dialect[], because: string][] = [
  ["params.lr = 'x'", ALL, 'equality is exact everywhere'],
  ['metrics.acc != 1', ALL, 'numbers compare alike'],
  ['start_time > 1.5', ALL, 'numbers compare alike'],
  ["tags.x LIKE 'a%\\%'", ALL, 'LIKE is case-sensitive everywhere, and its escape is known'],
  ["tags.x ILIKE 'a%'", ['sqlite'], 'others fold letters by tables of their own'],
  ["dataset.name ILIKE 'a%'", ['sqlite'], 'others fold letters by tables of their own'],
  ['params.lr IS NULL', ['sqlite', 'postgresql'], 'MySQL looks keys up without regard to case'],
  ['tags.x IS NOT NULL', ['sqlite', 'postgresql'], 'MySQL looks keys up without regard to case'],
  ["run_id NOT IN ('a')", ALL, 'ids are exact'],
  ["dataset.name NOT IN ('a', 'b')", ALL, 'ranges between the values'],
  [`dataset.name NOT IN (${Array.from({ length: 21 }, (_, i) => `'${i}'`).join()})`, [], 'too many ranges'],
  [`dataset.name IN (${Array.from({ length: 500 }, (_, i) => `'${i}'`).join()})`, ALL, 'one list'],
  [`params.lr LIKE '%${'_'.repeat(5)}x_____'`, [], 'the automaton may be too large'],
  [`params.lr LIKE '${long(600)}%'`, [], 'the automaton may be too deep'],
  [`params.lr LIKE '${long(6_000)}'`, ALL, 'a pattern without wildcards is a term'],
  [`params.lr ILIKE '${long(600)}'`, [], 'folding needs an automaton even so'],
  [`params.lr = '${long(33_000)}'`, [], 'Elasticsearch refuses terms that long'],
  [`params.${long(33_000)} = 'x'`, [], 'Elasticsearch refuses terms that long'],
  [`params.${long(33_000)} IS NULL`, [], 'Elasticsearch refuses terms that long'],
  [`metrics.${long(33_000)} = 1`, [], 'Elasticsearch refuses terms that long'],
];

const split = (text: string, dialect: Dialect) => splitFilter(parseRunFilter(text), dialect);

describe('splitFilter', () => {
  it.each(CLAUSES.map(([filter, ...rest]) => [filter.slice(0, 60), ...rest, filter] as const))(
    '%s is for %j: %s',
    (_short, dialects, _because, filter) => {
      expect(ALL.filter((dialect) => split(filter, dialect).residual === undefined)).toEqual(dialects);
    },
  );

  const exact = parseRunFilter("params.lr = 'x'") as Filter;
  const inexact = parseRunFilter("params.lr ILIKE 'x'") as Filter;
  const [exactLeaf, inexactLeaf] = [exact, inexact].map((filter) => (filter.kind === 'and' ? filter.terms[0] : filter));

  it('keeps the exact terms of a conjunction and hands back the others', () => {
    const filter = parseRunFilter("params.lr = 'x' AND params.lr ILIKE 'x' AND params.lr ILIKE 'x'");
    const { pushed, residual } = splitFilter(filter, 'postgresql');
    expect(pushed).toMatchObject([{ kind: 'compare' }]);
    expect(residual).toMatchObject({ kind: 'and', terms: [{ kind: 'match' }, { kind: 'match' }] });
  });

  it.each<[string, Filter]>([
    ['or', { kind: 'or', terms: [exact, inexact] }],
    ['not', { kind: 'not', term: inexact }],
    ['an inner and', { kind: 'or', terms: [{ kind: 'and', terms: [exact, inexact] }] }],
  ])('hands back the whole of %s with an inexact leaf', (_name, filter) => {
    expect(splitFilter(filter, 'postgresql')).toEqual({ pushed: [], residual: filter });
    expect(splitFilter(filter, 'sqlite')).toEqual({ pushed: [filter], residual: undefined });
  });

  it('hands back what is too deep or too wide for Elasticsearch', () => {
    const nest = (depth: number): Filter =>
      depth === 1 ? (exactLeaf as Filter) : { kind: 'not', term: nest(depth - 1) };
    const wide = (leaves: number): Filter => ({ kind: 'or', terms: Array.from({ length: leaves }, () => exact) });
    expect(splitFilter(nest(12), 'sqlite').residual).toBeUndefined();
    expect(splitFilter(nest(13), 'sqlite').residual).toBeDefined();
    expect(splitFilter(wide(100), 'sqlite').residual).toBeUndefined();
    expect(splitFilter(wide(101), 'sqlite').residual).toBeDefined();
  });

  // No filter text comes to this: the tokenizer refuses it.
  it.each([
    ['a\\', ['sqlite']],
    ['a\\\\', ALL],
    ['a\\\\\\', ['sqlite']],
  ])('knows what LIKE %j means to %j', (pattern, dialects) => {
    const filter: Filter = { kind: 'match', field: { entity: 'tag', key: 'x' }, pattern, ignoreCase: false };
    expect(ALL.filter((dialect) => splitFilter(filter, dialect).residual === undefined)).toEqual(dialects);
  });

  const text = { entity: 'param', key: 'x' } as const;
  const metric = { entity: 'metric', key: 'x' } as const;
  const time = { entity: 'attribute', key: 'end_time' } as const;
  it.each<[string, Leaf]>([
    ['< on a text', { kind: 'compare', field: text, op: '<', value: 'a' }],
    ['a text equal to a number', { kind: 'compare', field: text, op: '=', value: 1 }],
    ['a metric equal to a text', { kind: 'compare', field: metric, op: '=', value: 'a' }],
    ['a metric equal to NaN', { kind: 'compare', field: metric, op: '!=', value: Number.NaN }],
    ['a metric beside a 64-bit integer', { kind: 'compare', field: metric, op: '>', value: 2n ** 53n + 1n }],
    ['a time equal to a text', { kind: 'compare', field: time, op: '=', value: '1' }],
    ['a key with a NUL', { kind: 'compare', field: { entity: 'tag', key: '\0' }, op: '=', value: '' }],
    ['a value with a NUL', { kind: 'compare', field: text, op: '=', value: '\0' }],
    ['a pattern with a NUL', { kind: 'match', field: text, pattern: '\0%', ignoreCase: false }],
    ['LIKE on a metric', { kind: 'match', field: metric, pattern: '1%', ignoreCase: false }],
    ['LIKE on a time', { kind: 'match', field: time, pattern: '1%', ignoreCase: false }],
    ['IN on a metric', { kind: 'member', field: metric, values: ['1'], negated: false }],
    ['a metric IS NULL', { kind: 'null-test', field: metric, negated: false }],
    ['a time IS NULL', { kind: 'null-test', field: time, negated: false }],
    ['a field of experiments', { kind: 'compare', field: { entity: 'attribute', key: 'name' }, op: '=', value: 'x' }],
  ])('hands back what MLflow cannot say: %s', (_name, leaf) => {
    expect(splitFilter(leaf, 'sqlite')).toEqual({ pushed: [], residual: leaf });
  });

  it('has nothing to hand back of no filter', () => {
    expect(splitFilter(undefined, 'mysql')).toEqual({ pushed: [], residual: undefined });
    expect(splitFilter(inexactLeaf, 'mysql')).toEqual({ pushed: [], residual: inexactLeaf });
  });
});

describe('isOrdered', () => {
  it.each<[clause: string, dialects: readonly Dialect[]]>([
    ['metrics.acc DESC', ['sqlite', 'postgresql', 'postgresql-c']],
    ['params.x', BY_BYTES],
    ['tags.x', BY_BYTES],
    ['run_name', BY_BYTES],
    ['user_id', BY_BYTES],
    ['artifact_uri', BY_BYTES],
    ['run_id', EVERY],
    ['status DESC', EVERY],
    ['start_time', EVERY],
    ['end_time', EVERY],
    [`metrics.${long(33_000)}`, []],
  ])('by %.40s in %j', (clause, dialects) => {
    const [key] = parseRunOrder([clause]);
    expect(key && EVERY.filter((dialect) => isOrdered(key, dialect))).toEqual(dialects);
  });
});
