import { describe, expect, it } from 'vitest';
import { compileFilter, compileOrder, type Disputed } from '../../../../adapters/azureml/compile.ts';
import type { Filter } from '../../../../src/query/ast.ts';
import { totalOrder } from '../../../../src/query/order.ts';
import { parseRunFilter } from '../../../../src/query/parse-filter.ts';
import { parseRunOrder } from '../../../../src/query/parse-order.ts';

const compile = (filter: string, withheld: readonly Disputed[] = []) =>
  compileFilter(parseRunFilter(filter), new Set(withheld));

describe('a filter for Azure', () => {
  it.each([
    ['metrics.acc > 0.5', 'metrics.acc > 0.5'],
    ['metrics.`acc` <= -3', 'metrics.acc <= -3'],
    ["params.lr = '0.1'", "params.lr = '0.1'"],
    ["tags.mlflow.parentRunId = 'a-b'", "tags.mlflow.parentRunId = 'a-b'"],
    ["status = 'FINISHED'", "attributes.status = 'Finished'"],
    ["attributes.user_id = 'First Last'", "attributes.user_id = 'First Last'"],
    ["run_id = 'a-b'", "attributes.run_id IN ('a-b')"],
    ["run_id IN ('a', 'b')", "attributes.run_id IN ('a', 'b')"],
    ['start_time >= 12', "attributes.start_time >= '12'"],
    ["metrics.a = 1 AND params.b != 'x' AND tags.c = 'd'", "metrics.a = 1 AND tags.c = 'd'"],
  ])('has %s as %s', (filter, text) => {
    expect(compile(filter).text).toBe(text);
  });

  it.each([
    '',
    'metrics.acc != 1',
    'metrics.`a b` > 1',
    'metrics.acc > 1e-300',
    'metrics.acc < 1e400',
    "params.lr != '0.1'",
    "params.`a b` = 'x'",
    "params.lr = 'it''s'",
    "params.lr = ''",
    "params.lr = 'a\\b'",
    "params.lr LIKE '0%'",
    "tags.t ILIKE 'a%'",
    'tags.t IS NULL',
    'params.t IS NOT NULL',
    "status = 'finished'",
    "status != 'FINISHED'",
    "run_name = 'x'",
    "artifact_uri = 'x'",
    'end_time > 1',
    'start_time != 1',
    'start_time > 1.5',
    "run_id != 'a'",
    "run_id NOT IN ('a')",
    "dataset.name = 'x'",
    "datasets.name IN ('x')",
  ])('leaves %s to the gateway', (filter) => {
    expect(compile(filter)).toEqual({ text: '', sent: [], disputed: new Set() });
  });

  it('leaves what is not a conjunction of tests', () => {
    const term = parseRunFilter('metrics.a = 1') as Filter;
    const tree: Filter = { kind: 'and', terms: [{ kind: 'or', terms: [term] }, { kind: 'not', term }, term] };
    const { text, sent } = compileFilter(tree, new Set());
    expect([text, sent]).toEqual(['metrics.a = 1', [(term as { terms?: Filter[] }).terms?.[0] ?? term]]);
  });

  it('says what may be refused, and goes without it', () => {
    const filter = "status = 'FAILED' AND start_time > 1 AND metrics.a = 1";
    expect(compile(filter).disputed).toEqual(new Set(['status', 'start_time']));
    expect(compile(filter, ['status']).text).toBe("attributes.start_time > '1' AND metrics.a = 1");
    expect(compile(filter, ['status', 'start_time'])).toMatchObject({ text: 'metrics.a = 1', disputed: new Set() });
  });
});

it.each([
  [[], 'attributes.start_time DESC', 1],
  [['start_time ASC'], 'attributes.start_time ASC', 1],
  [['start_time DESC', 'run_name'], 'attributes.start_time DESC', 1],
  [['metrics.a'], 'attributes.start_time DESC', 0],
  [['run_id'], 'attributes.start_time DESC', 0],
])('is asked for runs by %j: %s', (order, orderBy, orderedBy) => {
  expect(compileOrder(totalOrder(parseRunOrder(order)))).toEqual({ orderBy, orderedBy });
});
