import { describe, expect, it } from 'vitest';
import { parsePythonJson } from '../../../../src/domain/parse-python-json.ts';
import { pythonJson } from '../../../../src/domain/python-text.ts';
import { accessKind } from '../../../../src/http/access-table.ts';
import type { Ask, Call, Fields } from '../../../../src/http/legacy/call.ts';
import { createFindLegacy } from '../../../../src/http/legacy/legacy-requests.ts';
import { pathOf } from '../../../../src/http/paths.ts';

const BASE = '/api/2.0/mlflow/';

function become(method: string, name: string, fields: Fields, base = BASE): Call | undefined {
  const legacy = createFindLegacy('preview')(method, base + name, true)?.translate(fields, base);
  if (legacy && 'compose' in legacy) throw new Error('That is an answer made of several.');
  return legacy?.become;
}

/** What is asked for an answer, each time answered with the next of these. */
async function parts(method: string, name: string, fields: Fields, answers: readonly Fields[]) {
  const legacy = createFindLegacy('preview')(method, BASE + name, true)?.translate(fields, BASE);
  if (!legacy || 'become' in legacy) throw new Error('That is no answer made of several.');
  const calls: Call[] = [];
  const ask: Ask = async (call) => pythonJson(answers[calls.push(call) - 1] ?? {});
  return { answer: parsePythonJson(await legacy.compose(ask)), calls };
}

describe('where old requests are understood', () => {
  it.each([
    ['preview', true, true],
    ['preview', false, false],
    ['everywhere', true, true],
    ['everywhere', false, true],
    ['off', true, false],
    ['off', false, false],
  ] as const)('%s, below preview: %s', (places, isPreview, found) => {
    expect(createFindLegacy(places)('GET', `${BASE}metrics/get`, isPreview) !== undefined).toBe(found);
  });

  it.each([
    ['POST', `${BASE}metrics/get`],
    ['GET', `${BASE}metrics/get/`],
    ['GET', '/api/2.1/mlflow/metrics/get'],
    ['GET', `/x${BASE}metrics/get`],
    ['GET', `${BASE}toString`],
  ])('not in what no documentation had: %s %s', (method, path) => {
    expect(createFindLegacy('everywhere')(method, path, true)).toBeUndefined();
  });
});

describe('who may send an old request', () => {
  const FIELDS = {
    run_uuid: 'x',
    experiment_id: 1n,
    experiment_ids: [1n],
    path: 'p',
    metric_key: 'm',
    param_name: 'p',
  };

  it.each([
    ...['artifacts/get', 'artifacts/list', 'experiments/get', 'experiments/list', 'metrics/get', 'metrics/get-history'],
    ...['params/get', 'runs/get', 'runs/list', 'runs/search'],
  ])('is who may read: GET %s', async (name) => {
    const legacy = createFindLegacy('preview')('GET', BASE + name, true)?.translate(FIELDS, BASE);
    const calls: Call[] = [];
    if (legacy && 'become' in legacy) calls.push(legacy.become);
    const answer = { experiment: { experiment_id: '1' }, run: { info: {} } };
    const ask: Ask = async (call) => {
      calls.push(call);
      return pythonJson(answer);
    };
    if (legacy && 'compose' in legacy) await legacy.compose(ask).catch(() => undefined);
    expect(calls.length).toBeGreaterThan(0);
    for (const { method, target } of calls)
      expect([target, accessKind(method, pathOf(target))]).toEqual([target, 'read']);
  });

  it.each(['runs/log-metric', 'runs/search', 'experiments/delete'])('is who may send it today: POST %s', (name) => {
    expect(become('POST', name, FIELDS)).toMatchObject({ method: 'POST', target: BASE + name });
  });
});

describe('old names and numbers', () => {
  it.each<[string, string, Fields, Partial<Call> | undefined]>([
    ['GET', 'runs/get', { run_uuid: 'x' }, { target: `${BASE}runs/get?run_id=x` }],
    ['GET', 'runs/get', { run_id: 'x' }, undefined],
    ['GET', 'runs/get', { run_id: 'x', run_uuid: 'y' }, undefined],
    ['GET', 'runs/get', { run_id: '', run_uuid: 'y' }, { target: `${BASE}runs/get?run_id=y` }],
    ['GET', 'artifacts/list', { run_uuid: 'x', path: 'a b' }, { target: `${BASE}artifacts/list?run_id=x&path=a%20b` }],
    ['GET', 'artifacts/get', { run_uuid: 'x', path: 'a/ü' }, { target: '/get-artifact?run_id=x&path=a%2F%C3%BC' }],
    [
      'GET',
      'metrics/get-history',
      { run_uuid: 'x', key: 'm' },
      { target: `${BASE}metrics/get-history?run_id=x&metric_key=m` },
    ],
    ['POST', 'runs/log-metric', { run_id: 'x', value: 1n }, undefined],
    ['POST', 'runs/log-metric', { run_uuid: 'x', value: 0.1 }, { body: '{"run_id":"x","value":0.1}' }],
    ['POST', 'runs/log-metric', { run_uuid: 'x', value: Number.NaN }, { body: '{"run_id":"x","value":"NaN"}' }],
    [
      'POST',
      'runs/log-metric',
      { run_uuid: 'x', timestamp: 9_223_372_036_854_775_807n },
      { body: '{"run_id":"x","timestamp":9223372036854775807}' },
    ],
    [
      'POST',
      'runs/create',
      { user_id: 'u', experiment_id: 9_007_199_254_740_993n },
      { body: '{"user_id":"u","experiment_id":"9007199254740993"}' },
    ],
    ['POST', 'experiments/delete', { experiment_id: 1 }, { body: '{"experiment_id":"1"}' }],
    ['POST', 'experiments/delete', { experiment_id: 1.5 }, undefined],
    ['POST', 'experiments/delete', { experiment_id: '1' }, undefined],
    ['POST', 'runs/search', { experiment_ids: ['1'], filter: 'x' }, undefined],
    ['POST', 'runs/search', { experiment_ids: [1n, '2'] }, { body: '{"experiment_ids":["1","2"]}' }],
    ['POST', 'runs/search', { run_view_type: 3n }, { body: '{"run_view_type":"ALL"}' }],
    ['POST', 'runs/search', { run_view_type: null, filter: null }, undefined],
    ['POST', 'runs/search', { run_view_type: { toString: 1n } }, undefined],
    ['GET', 'runs/get', { run_uuid: { toString: 1n } }, { target: `${BASE}runs/get?run_id=%7B%22toString%22%3A1%7D` }],
    [
      'GET',
      'runs/get',
      { run_uuid: '\ud800', '\ud800': true },
      { target: `${BASE}runs/get?run_id=%EF%BF%BD&%EF%BF%BD=true` },
    ],
    ['POST', 'runs/search', { anded_expressions: [], filter: 'x' }, { body: '{"filter":"x"}' }],
    [
      'GET',
      'runs/search',
      { experiment_ids: ['1'], max_results: '5' },
      { body: '{"experiment_ids":["1"],"max_results":5}' },
    ],
  ])('%s %s of %o', (method, name, fields, call) => {
    const made = become(method, name, fields);
    if (call) expect(made).toMatchObject(call);
    else expect(made).toBeUndefined();
  });

  it('keep the prefix of the page that asks', () => {
    const base = '/ajax-api/2.0/mlflow/';
    expect(become('GET', 'runs/get', { run_uuid: 'x' }, base)?.target).toBe(`${base}runs/get?run_id=x`);
  });
});

describe('search expressions', () => {
  const expressions = [{ metric: { key: 'm', float: { comparator: '>', value: 1n } } }];

  it('become the filter, which stands before what may end the reading', () => {
    const made = become('POST', 'runs/search', { page_token: 5n, anded_expressions: expressions, filter: '' });
    expect(made?.body).toBe('{"filter":"metric.`m` > 1","page_token":5}');
  });

  it.each([
    [{ anded_expressions: expressions, filter: 'params.a = 1' }, "Can specify only one of 'filter' or"],
    [{ anded_expressions: expressions, filter: 5n }, "Can specify only one of 'filter' or"],
    [{ anded_expressions: expressions, andedExpressions: expressions }, "both 'anded_expressions' and"],
    [{ andedExpressions: 5n }, "'anded_expressions' supplied"],
  ])('are refused beside others: %o', (fields, message) => {
    expect(() => become('POST', 'runs/search', fields as Fields)).toThrow(message);
  });
});

describe('lists', () => {
  it('of experiments are read to their ends', async () => {
    const answers = [{ experiments: [{ name: 'a' }], next_page_token: 't=' }, { experiments: [{ name: 'b' }] }];
    const { answer, calls } = await parts('GET', 'experiments/list', { view_type: '3' }, answers);
    expect(answer).toEqual({ experiments: [{ name: 'a' }, { name: 'b' }] });
    const first = `${BASE}experiments/search?view_type=ALL&order_by=experiment_id%20ASC&max_results=50000`;
    expect(calls.map(({ target }) => target)).toEqual([first, `${first}&page_token=t%3D`]);
  });

  it('of experiments come in pages when they are asked for so', () => {
    const path = `${BASE}experiments/search?order_by=experiment_id%20ASC&max_results=`;
    const page = (max_results: string) => become('GET', 'experiments/list', { max_results, page_token: 't' })?.target;
    expect(page('7')).toBe(`${path}7&page_token=t`);
    expect(page('5000')).toBe(`${path}1000&page_token=t`);
    expect(page('x')).toBe(`${path}x&page_token=t`);
  });

  it('of runs have each once, by the ids of the experiment that was found', async () => {
    const run = (id: string) => ({ info: { run_id: id, run_name: `n${id}` }, data: { params: [] } });
    const answers = [
      { experiment: { experiment_id: '7' } },
      { runs: [run('a'), run('b')], next_page_token: 't' },
      { runs: [run('b'), run('c')] },
    ];
    const { answer, calls } = await parts('GET', 'experiments/get', { experiment_id: '+7' }, answers);
    const infos = ['a', 'b', 'c'].map((id) => ({ run_id: id, run_name: `n${id}`, name: `n${id}` }));
    expect(answer).toEqual({ experiment: { experiment_id: '7' }, runs: infos });
    expect(calls.slice(1).map(({ body }) => body)).toEqual([
      '{"experiment_ids":["7"],"max_results":2500}',
      '{"experiment_ids":["7"],"max_results":2500,"page_token":"t"}',
    ]);
  });

  it('of runs come in pages when they are asked for so', async () => {
    const answers = [{ runs: [{ info: { run_id: 'a' } }], next_page_token: 't' }];
    const fields = { experiment_id: '7', run_view_type: '2', max_results: '1' };
    const { answer, calls } = await parts('GET', 'runs/list', fields, answers);
    expect(answer).toEqual({ runs: [{ run_id: 'a' }], next_page_token: 't' });
    expect(calls[0]?.body).toBe('{"experiment_ids":["7"],"run_view_type":"DELETED_ONLY","max_results":1}');
  });

  it.each([
    [{ info: { run_id: 'a', start_time: 2n ** 63n - 1n, run_name: 'x"{}\\', user_id: '}' }, data: {} }],
    [{ info: { run_id: 'a' } }],
    [{ data: { params: [{ key: 'a', value: '1' }] }, info: { run_id: 'a', end_time: 2n ** 53n + 1n, run_name: '' } }],
  ])('of runs have each number and text as it was: %o', async (run) => {
    const { answer } = await parts('GET', 'runs/list', { experiment_id: 7n }, [{ runs: [run, run] }]);
    const { run_name: name } = run.info as { run_name?: string };
    expect(answer).toEqual({ runs: [{ ...run.info, ...(name !== undefined && { name }) }] });
  });

  it('of runs need an experiment', () => {
    expect(() => become('GET', 'runs/list', {})).toThrow("Missing value for required parameter 'experiment_id'");
  });
});

describe('one of a run', () => {
  const run = { run: { info: { run_id: 'x' }, data: { metrics: [{ key: 'm', value: 'NaN', step: 2n ** 62n }] } } };

  it('is found by its key', async () => {
    const { answer, calls } = await parts('GET', 'metrics/get', { run_uuid: 'x', metric_key: 'm' }, [run]);
    expect(answer).toEqual({ metric: { key: 'm', value: 'NaN', step: 2n ** 62n } });
    expect(calls.map(({ target }) => target)).toEqual([`${BASE}runs/get?run_id=x`]);
  });

  it('that is not there is missed in the words of the old server', async () => {
    await expect(parts('GET', 'params/get', { run_uuid: 'x', param_name: 'p' }, [run])).rejects.toMatchObject({
      code: 'RESOURCE_DOES_NOT_EXIST',
      message: "Param 'p' not found under run 'x'",
    });
  });

  it.each([
    ['metrics/get', 'metric_key'],
    ['params/get', 'param_name'],
  ])('needs a key: %s', (name, parameter) => {
    expect(() => become('GET', name, { run_uuid: 'x' })).toThrow(`required parameter '${parameter}'`);
  });
});
