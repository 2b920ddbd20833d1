import { describe, expect, it } from 'vitest';
import { compileBound, compileCursor, compileOrder } from '../../../../adapters/elasticsearch/order.ts';
import { totalOrder } from '../../../../src/query/order.ts';
import { parseRunOrder } from '../../../../src/query/parse-order.ts';
import type { Cursor } from '../../../../src/query/run-query.ts';

const orderOf = (...clauses: string[]) => totalOrder(parseRunOrder(clauses));
const asc = { order: 'asc', missing: '_last' };
const desc = { order: 'desc', missing: '_last' };
const nested = { path: 'metrics', filter: { term: { 'metrics.key': 'acc' } } };
const ID = [{ id_high: asc }, { id_low: asc }, { odd_id: { order: 'asc', missing: '_first' } }];
const TAIL = [{ start_time: desc }, ...ID];

describe('compileOrder', () => {
  it.each([
    [[], TAIL],
    [['metrics.acc'], [{ 'metrics.asc': { ...asc, nested } }, ...TAIL]],
    [['metrics.acc DESC'], [{ 'metrics.desc': { ...desc, nested } }, ...TAIL]],
    [['params.`a.b` DESC'], [{ 'param_order.a%2eb=': desc }, ...TAIL]],
    [['tags.x'], [{ 'tag_order.x=': asc }, ...TAIL]],
    [
      ['run_name', 'status DESC'],
      [{ name: asc }, { status: desc }, ...TAIL],
    ],
    [
      ['start_time', 'run_id DESC'],
      [{ start_time: asc }, { id_high: desc }, { id_low: desc }, { odd_id: desc }],
    ],
    [['end_time DESC'], [{ end_time: desc }, ...TAIL]],
  ])('%j', (clauses, sort) => expect(compileOrder(orderOf(...clauses))).toEqual(sort));
});

describe('compileOrder with columns', () => {
  const columns = new Set(['metric_column.acc=', 'param_column.a%2eb=']);
  it.each([
    [['metrics.acc DESC'], [{ 'metric_column.acc=': desc }, { 'metric_nan.acc=': asc }, ...TAIL]],
    [['params.`a.b`'], [{ 'param_column.a%2eb=': asc }, ...TAIL]],
    [['tags.`a.b`'], [{ 'tag_order.a%2eb=': asc }, ...TAIL]],
  ])('%j', (clauses, sort) => expect(compileOrder(orderOf(...clauses), columns)).toEqual(sort));

  it.each<[string, Cursor[number], readonly (string | null)[]]>([
    ['metrics.acc', { rank: 0, value: 0.5 }, ['4602678819172646912', null]],
    ['metrics.acc', { rank: 1 }, ['9223372036854775807', '1']],
    ['metrics.acc DESC', { rank: 2 }, ['-9223372036854775808', null]],
    ['params.`a.b`', { rank: 0, value: '' }, ['']],
  ])('goes on after %s: case %#', (clause, part, values) => {
    expect(compileCursor([part], orderOf(clause), columns).slice(0, values.length)).toEqual(values);
  });
});

describe('compileCursor', () => {
  const REST: Cursor = [
    { rank: 0, value: 9_007_199_254_740_993n },
    { rank: 0, value: '80000000000000007fffffffffffffff' },
  ];
  it.each<[string, Cursor[number], string | null]>([
    ['metrics.acc', { rank: 0, value: 0.5 }, '4602678819172646912'],
    ['metrics.acc', { rank: 1 }, '9223372036854775806'],
    ['metrics.acc', { rank: 2 }, '9223372036854775807'],
    ['metrics.acc DESC', { rank: 1 }, '-9223372036854775807'],
    ['metrics.acc DESC', { rank: 2 }, '-9223372036854775808'],
    ['params.x', { rank: 0, value: '' }, ''],
    ['params.x', { rank: 1 }, null],
    ['user_id DESC', { rank: 1 }, null],
    ['end_time', { rank: 0, value: 7n }, '7'],
    ['end_time', { rank: 1 }, '9223372036854775807'],
    ['end_time DESC', { rank: 1 }, '-9223372036854775808'],
    // A param of that name is a text.
    ['params.end_time', { rank: 1 }, null],
  ])('%s: case %#', (clause, part, value) => {
    expect(compileCursor([part, ...REST], orderOf(clause))).toEqual([value, '9007199254740993', '0', '-1', null]);
  });

  it('goes on after an id that is not of MLflow', () => {
    const after = (runId: string) => compileCursor([REST[0] ?? { rank: 1 }, { rank: 0, value: runId }], orderOf());
    expect(after('8000000000000000')).toEqual(['9007199254740993', '-1', '9223372036854775807', '8000000000000000']);
  });
});

describe('compileBound', () => {
  const start = { rank: 0, value: -9_223_372_036_854_775_808n } as const;
  it.each<[readonly string[], object | undefined]>([
    [[], { lte: '-9223372036854775808' }],
    [['start_time DESC', 'metrics.acc'], { lte: '-9223372036854775808' }],
    [['start_time'], { gte: '-9223372036854775808' }],
    // Rows of an earlier value of the first key began at any time.
    [['status', 'start_time'], undefined],
    [['params.start_time'], undefined],
    [['end_time'], undefined],
  ])('%j', (clauses, range) => {
    const bound = range && { range: { start_time: range } };
    expect(compileBound([start, start, start], orderOf(...clauses))).toEqual(bound);
  });
});
