import { describe, expect, it } from 'vitest';
import { compileFilter, compileQuery } from '../../../../adapters/elasticsearch/compile.ts';
import type { Filter } from '../../../../src/query/ast.ts';
import { parseRunFilter } from '../../../../src/query/parse-filter.ts';
import { runQuery } from '../../../fixtures/run-query.ts';

const HAS_LR = { term: { param_keys: 'lr' } };
const metric = (query: object) => ({ nested: { path: 'metrics', query: { bool: query } } });
const HAS_ACC = { term: { 'metrics.key': 'acc' } };
const accIs = (range: object) => metric({ filter: [HAS_ACC, { range: { 'metrics.asc': range } }] });
const LOWEST = '-9218868437227405313';
const HIGHEST = '9218868437227405312';
const HALF = '4602678819172646912';
const exists = (field: string) => ({ exists: { field } });
const time = (gte: string, lte: string) => ({ range: { start_time: { gte, lte } } });
const MIN = '-9223372036854775808';
const MAX = '9223372036854775807';

/** One clause and the whole of its query. */
const CLAUSES: [filter: string, query: object][] = [
  ['metrics.acc = 0.5', metric({ filter: [HAS_ACC, { term: { 'metrics.asc': HALF } }] })],
  ['metrics.acc != 0.5', metric({ filter: [HAS_ACC], must_not: [{ term: { 'metrics.asc': HALF } }] })],
  ['metrics.acc > 0.5', accIs({ gt: HALF, lte: HIGHEST })],
  ['metrics.acc >= 0.5', accIs({ gte: HALF, lte: HIGHEST })],
  ['metrics.acc < 0.5', accIs({ gte: LOWEST, lt: HALF })],
  ['metrics.acc <= 0.5', accIs({ gte: LOWEST, lte: HALF })],
  ['metrics.acc < 1e400', accIs({ gte: LOWEST, lt: HIGHEST })],
  ['metrics.acc >= -0.0', accIs({ gte: '0', lte: HIGHEST })],
  ["params.lr = '0.1'", { term: { params: 'lr=0.1' } }],
  ["params.LR = ''", { term: { params: '%4c%52=' } }],
  ["params.lr != '0.1'", { bool: { filter: [HAS_LR], must_not: [{ term: { params: 'lr=0.1' } }] } }],
  ["params.lr LIKE '0.1'", { term: { params: 'lr=0.1' } }],
  ["params.lr LIKE '0.%*_'", { wildcard: { params: { value: 'lr=0.*\\*?' } } }],
  ["params.lr LIKE '%'", HAS_LR],
  ["params.lr ILIKE 'Adam'", { wildcard: { params: { value: 'lr=Adam', case_insensitive: true } } }],
  ['params.lr IS NULL', { bool: { must_not: [HAS_LR] } }],
  ['params.lr IS NOT NULL', HAS_LR],
  ["tags.`a.b` = 'x'", { term: { tags: 'a%2eb=x' } }],
  ["run_name = 'x'", { term: { tags: 'mlflow%2erun%4eame=x' } }],
  [
    "run_name != 'x'",
    {
      bool: {
        filter: [{ term: { tag_keys: 'mlflow.runName' } }],
        must_not: [{ term: { tags: 'mlflow%2erun%4eame=x' } }],
      },
    },
  ],
  ["status = 'FINISHED'", { term: { status: 'FINISHED' } }],
  ["user_id != 'bob'", { bool: { filter: [exists('user_id')], must_not: [{ term: { user_id: 'bob' } }] } }],
  ["artifact_uri LIKE 's3://%'", { wildcard: { artifact_uri: { value: 's3://*' } } }],
  ["user_id LIKE '%%'", exists('user_id')],
  ["run_id IN ('a', 'b')", { terms: { run_id: ['a', 'b'] } }],
  ["run_id NOT IN ('a')", { bool: { filter: [exists('run_id')], must_not: [{ term: { run_id: 'a' } }] } }],
  ['start_time = 5', time('5', '5')],
  ['start_time != 5', { bool: { filter: [exists('start_time')], must_not: [time('5', '5')] } }],
  ['start_time > 5', time('6', MAX)],
  ['start_time >= 9007199254740993', time('9007199254740993', MAX)],
  ['start_time < 5', time(MIN, '4')],
  ['start_time <= 5.5', time(MIN, '5')],
  ['start_time > 5.5', time('6', MAX)],
  ['start_time = 5.5', { match_none: {} }],
  ["dataset.name = 'ds'", { term: { dataset_names: 'ds' } }],
  [
    "dataset.digest != 'd'",
    {
      bool: {
        should: [{ range: { dataset_digests: { lt: 'd' } } }, { range: { dataset_digests: { gt: 'd' } } }],
        minimum_should_match: 1,
      },
    },
  ],
  ["dataset.context IN ('a', 'b')", { terms: { dataset_contexts: ['a', 'b'] } }],
  [
    "dataset.name NOT IN ('b', 'a', 'b')",
    {
      bool: {
        should: [
          { range: { dataset_names: { lt: 'a' } } },
          { range: { dataset_names: { gt: 'a', lt: 'b' } } },
          { range: { dataset_names: { gt: 'b' } } },
        ],
        minimum_should_match: 1,
      },
    },
  ],
  ["dataset.context ILIKE ''", { term: { dataset_contexts: '' } }],
  ["user_id ILIKE ''", { term: { user_id: '' } }],
  ["dataset.name ILIKE 'DS%'", { wildcard: { dataset_names: { value: 'DS*', case_insensitive: true } } }],
];

const parse = (text: string): Filter => {
  const filter = parseRunFilter(text);
  if (filter?.kind === 'and' && filter.terms.length === 1 && filter.terms[0]) return filter.terms[0];
  if (!filter) throw new Error('No filter.');
  return filter;
};

describe('compileFilter', () => {
  it.each(CLAUSES)('%s', (text, query) => expect(compileFilter(parse(text), 'sqlite')).toEqual(query));

  it.each([
    ['sqlite', { wildcard: { params: { value: 'lr=50\\\\*' } } }],
    ['postgresql', { term: { params: 'lr=50%' } }],
    ['mysql', { term: { params: 'lr=50%' } }],
  ] as const)('reads a backslash in LIKE as %s does', (dialect, query) => {
    expect(compileFilter(parse("params.lr LIKE '50\\%'"), dialect)).toEqual(query);
  });

  const a = parse("status = 'A'");
  const b = parse("status = 'B'");
  const [isA, isB] = [{ term: { status: 'A' } }, { term: { status: 'B' } }];
  it.each<[string, Filter, object]>([
    ['and', { kind: 'and', terms: [a, b] }, { bool: { filter: [isA, isB] } }],
    ['or', { kind: 'or', terms: [a, b] }, { bool: { should: [isA, isB], minimum_should_match: 1 } }],
    ['not', { kind: 'not', term: a }, { bool: { must_not: [isA] } }],
    ['an empty or', { kind: 'or', terms: [] }, { match_none: {} }],
  ])('compiles %s', (_name, filter, query) => expect(compileFilter(filter, 'sqlite')).toEqual(query));

  const infinite = (op: '<' | '>' | '!=', value: number): Filter => ({
    kind: 'compare',
    field: { entity: 'attribute', key: 'start_time' },
    op,
    value,
  });
  it.each([
    ['<', Number.POSITIVE_INFINITY, time(MIN, MAX)],
    ['>', Number.POSITIVE_INFINITY, { match_none: {} }],
    ['>', -1e300, time(MIN, MAX)],
    ['<', -1e300, { match_none: {} }],
    ['!=', 1e300, { bool: { filter: [exists('start_time')], must_not: [{ match_none: {} }] } }],
  ] as const)('compares times with numbers beyond 64 bits: %s %d', (op, value, query) => {
    expect(compileFilter(infinite(op, value), 'sqlite')).toEqual(query);
  });
});

describe('compileQuery', () => {
  it.each([
    ['active', [{ term: { stage: 'active' } }]],
    ['deleted', [{ term: { stage: 'deleted' } }]],
    ['all', []],
  ] as const)('asks for %s runs of the experiments, unscored', (view, stage) => {
    const query = runQuery({ experimentIds: ['1', '2'], view });
    expect(compileQuery(query, [parse("status = 'A'")])).toEqual({
      bool: { filter: [{ terms: { experiment_id: ['1', '2'] } }, ...stage, { term: { status: 'A' } }] },
    });
  });
});
