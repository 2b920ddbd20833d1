import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { request } from 'undici';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { parsePythonJson } from '../../src/domain/parse-python-json.ts';
import { createRun } from '../fixtures/create-run.ts';
import { startGateway, waitForIndex } from '../fixtures/gateway-process.ts';
import { expression, filterTextOf } from '../fixtures/old-expressions.ts';
import { openGateway } from '../fixtures/open-gateway.ts';
import { post } from '../fuzz/load-runs.ts';

const TODAY = '/api/2.0/mlflow';
const OLD = '/api/2.0/preview/mlflow';
/** Beyond what a double holds. */
const LATE = 9_007_199_254_740_993n;
const BYTES = Buffer.from([0, 255, 1, 254, 10, 13]);

// biome-ignore lint/suspicious/noExplicitAny: MLflow's JSON
type Json = any;

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
  /** Integers are bigints. */
  readonly json: Json;
}

interface Sent {
  readonly method?: 'GET' | 'POST';
  readonly body?: object | string;
  readonly headers?: Readonly<Record<string, string>>;
}

async function send(url: string, { method = 'GET', body, headers }: Sent = {}): Promise<Answer> {
  const answer = await request(url, {
    method,
    headers: { ...(body !== undefined && { 'content-type': 'application/json' }), ...headers },
    ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const bytes = Buffer.from(await answer.body.arrayBuffer());
  const isJson = answer.headers['content-type'] === 'application/json';
  return {
    status: answer.statusCode,
    headers: answer.headers,
    body: bytes,
    json: isJson ? parsePythonJson(bytes.toString()) : undefined,
  };
}

const metric = (key: string, comparator: string, value: number) => ({ metric: { key, float: { comparator, value } } });
const parameter = (key: string, comparator: string, value: string) => ({
  parameter: { key, string: { comparator, value } },
});
const idsOf = ({ json }: Answer): string[] => (json.runs ?? []).map(({ info }: Json) => info.run_id);

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'legacy-'));
});
afterAll(() => rm(folder, { recursive: true }));

const places = [
  ['before MLflow, with index and cache', true],
  ['alone', false],
] as const;

describe.each(places)('a gateway %s', (_, isBefore) => {
  const mlflow = inject('mlflowUrl');
  let url: string;
  let stop: () => Promise<unknown>;
  let experimentId: string;
  let runId: string;
  let otherId: string;

  const get = (path: string, sent: Sent = {}) => send(`${url}${OLD}/${path}`, sent);
  const write = (path: string, body: object | string) => send(`${url}${OLD}/${path}`, { method: 'POST', body });
  const search = (body: object | string) => write('runs/search', body);
  const today = (path: string) => send(`${url}${TODAY}/${path}`);

  beforeAll(async () => {
    const output = () => '';
    if (isBefore) {
      const gateway = await openGateway({
        upstream: { url: mlflow },
        data: { dir: folder },
        index: { store: 'sqlite' },
        feed: { readyTimeoutMs: 30_000 },
        log: { level: 'warn' },
      });
      ({ url, close: stop } = gateway);
    } else {
      const gateway = await startGateway(['--data-dir', join(folder, 'alone')], { GATEWAY_LOG_LEVEL: 'error' });
      ({ url, stop } = gateway);
    }
    const created = await write('experiments/create', { name: `legacy-${process.pid}-${Date.now()}` });
    experimentId = created.json.experiment_id;
    // Documented as INT64.
    const numbered = `{"experiment_id":${experimentId},"start_time":${LATE},"run_name":"one"}`;
    runId = (await write('runs/create', numbered)).json.run.info.run_id;
    otherId = await createRun(url, { experiment_id: experimentId, run_name: 'two', start_time: 1 });
    for (const [id, value] of [
      [runId, 0.5],
      [otherId, 0.25],
    ] as const) {
      expect((await write('runs/log-metric', { run_uuid: id, key: 'm 1', value: 1, timestamp: 1 })).status).toBe(200);
      expect((await write('runs/log-metric', { run_uuid: id, key: 'm 1', value, timestamp: 2 })).status).toBe(200);
      expect((await write('runs/log-parameter', { run_uuid: id, key: 'lr', value: `${value}` })).status).toBe(200);
    }
    if (isBefore) await waitForIndex({ url, output }, [experimentId]);
  });
  afterAll(() => stop());

  it('lists experiments by their ids', async () => {
    const { status, json } = await get('experiments/list');
    const ids = json.experiments.map((experiment: Json) => Number(experiment.experiment_id));
    expect(status).toBe(200);
    expect(ids).toEqual(ids.toSorted((a: number, b: number) => a - b));
    expect(ids).toEqual(expect.arrayContaining([0, Number(experimentId)]));
  });

  it('lists experiments of a view, and in pages', async () => {
    const gone = (await write('experiments/create', { name: `legacy-gone-${process.pid}-${Date.now()}` })).json;
    await write('experiments/delete', `{"experiment_id":${gone.experiment_id}}`);
    const idsIn = ({ json }: Answer) => (json.experiments ?? []).map((each: Json) => each.experiment_id);
    expect(idsIn(await get('experiments/list'))).not.toContain(gone.experiment_id);
    for (const view of ['DELETED_ONLY', '2', 'ALL'])
      expect(idsIn(await get(`experiments/list?view_type=${view}`))).toContain(gone.experiment_id);
    expect(idsIn(await get('experiments/list', { body: { view_type: 2 } }))).toContain(gone.experiment_id);
    const first = await get('experiments/list?max_results=1');
    const second = await get(
      `experiments/list?max_results=1&page_token=${encodeURIComponent(first.json.next_page_token)}`,
    );
    expect([...idsIn(first), ...idsIn(second)]).toEqual(idsIn(await get('experiments/list')).slice(0, 2));
  });

  it('gets an experiment with the infos of its runs', async () => {
    const { json, headers } = await get(`experiments/get?experiment_id=${experimentId}`);
    const runs = await Promise.all([runId, otherId].map((id) => today(`runs/get?run_id=${id}`)));
    const infos = runs.map(({ json: { run } }) => ({ ...run.info, name: run.info.run_name }));
    expect(json.experiment).toEqual((await today(`experiments/get?experiment_id=${experimentId}`)).json.experiment);
    expect(json.runs).toEqual(infos);
    expect(json.runs[0]).toMatchObject({ run_uuid: runId, run_id: runId, start_time: LATE, name: 'one' });
    expect(headers).toMatchObject({ 'content-type': 'application/json', 'x-content-type-options': 'nosniff' });
    const byBody = await get('experiments/get', { body: `{"experiment_id":${experimentId}}` });
    expect(byBody.json).toEqual(json);
  });

  it('lists the infos of runs, of a view and in pages', async () => {
    const { json } = await get(`experiments/get?experiment_id=${experimentId}`);
    expect((await get(`runs/list?experiment_id=${experimentId}`)).json).toEqual({ runs: json.runs });
    expect((await get(`runs/list?experiment_id=${experimentId}&run_view_type=DELETED_ONLY`)).json).toEqual({});
    const first = await get(`runs/list?experiment_id=${experimentId}&max_results=1`);
    const token = encodeURIComponent(first.json.next_page_token);
    const second = await get(`runs/list?experiment_id=${experimentId}&max_results=1&page_token=${token}`);
    expect([...first.json.runs, ...second.json.runs]).toEqual(json.runs);
  });

  it('gets a metric and a param of a run', async () => {
    const found = await get(`metrics/get?run_uuid=${runId}&metric_key=m%201`);
    const [latest] = (await today(`runs/get?run_id=${runId}`)).json.run.data.metrics;
    expect(found.json).toEqual({ metric: latest });
    expect(found.json.metric).toMatchObject({ key: 'm 1', value: 0.5, timestamp: 2n });
    const param = { parameter: { key: 'lr', value: '0.5' } };
    expect((await get(`params/get?run_uuid=${runId}&param_name=lr`)).json).toEqual(param);
    expect((await get(`params/get?run_id=${runId}&param_name=lr`)).json).toEqual(param);
    expect((await get('params/get', { body: { run_uuid: runId, param_name: 'lr' } })).json).toEqual(param);
  });

  it('misses what a run has not in the words of the old server, and a run in those of today', async () => {
    expect((await get(`metrics/get?run_uuid=${runId}&metric_key=x`)).json).toMatchObject({
      error_code: 'RESOURCE_DOES_NOT_EXIST',
      message: `Metric 'x' not found under run '${runId}'`,
    });
    expect((await get(`params/get?run_uuid=${runId}&param_name=x`)).status).toBe(404);
    expect((await get(`params/get?run_uuid=${runId}`)).json.message).toContain("required parameter 'param_name'");
    for (const query of ['?run_uuid=nope&metric_key=x', '?metric_key=x']) {
      const refusal = await today(`runs/get${query.replace('run_uuid', 'run_id')}`);
      const { status, body } = await get(`metrics/get${query}`);
      expect([status, body.toString()]).toEqual([refusal.status, refusal.body.toString()]);
    }
  });

  it('refuses an id that is too long for a URL, and asks for no more than it needs', async () => {
    const long = 'a'.repeat(40_000);
    expect((await get(`metrics/get?run_uuid=${long}&metric_key=x`)).status).toBe(isBefore ? 414 : 404);
    expect((await get(`params/get?run_uuid=${runId}&param_name=lr&other=${long}`)).status).toBe(200);
    expect((await get(`experiments/get?experiment_id=${experimentId}&order_by=${long}`)).status).toBe(200);
  });

  it('gets an artifact as bytes, and lists it', async () => {
    const { json } = await today(`runs/get?run_id=${runId}`);
    const place = json.run.info.artifact_uri.replace(/^mlflow-artifacts:\/+/, '');
    const stored = await fetch(`${url}/api/2.0/mlflow-artifacts/artifacts/${place}/a/b%20c.bin`, {
      method: 'PUT',
      body: BYTES,
    });
    expect(stored.status).toBe(200);
    const found = await get(`artifacts/get?run_uuid=${runId}&path=a%2Fb%20c.bin`);
    expect([found.status, found.body]).toEqual([200, BYTES]);
    expect(found.headers['content-disposition']).toContain('attachment');
    expect((await get(`artifacts/get?run_uuid=${runId}&path=a/b+c.bin`)).body).toEqual(BYTES);
    const listed = await get(`artifacts/list?run_uuid=${runId}&path=a`);
    expect(listed.json.files).toEqual([{ path: 'a/b c.bin', is_dir: false, file_size: BigInt(BYTES.length) }]);
    expect((await get(`artifacts/get?run_uuid=${'0'.repeat(32)}&path=x`)).status).toBe(404);
  });

  it('takes run_uuid for run_id in every request for a run', async () => {
    const id = await createRun(url, { experiment_id: experimentId, run_name: 'written' });
    const writes: [string, object][] = [
      ['runs/set-tag', { key: 't', value: '1' }],
      ['runs/log-metric', { key: 'm', value: 2, timestamp: 5 }],
      ['runs/log-parameter', { key: 'p', value: 'v' }],
      ['runs/update', { status: 'FINISHED', end_time: '7' }],
      ['runs/delete', {}],
      ['runs/restore', {}],
      ['runs/delete-tag', { key: 't' }],
      ['runs/log-batch', { tags: [{ key: 'b', value: '2' }] }],
    ];
    for (const [path, body] of writes) {
      const { status, json } = await write(path, { run_uuid: id, ...body });
      expect([path, status, json]).toEqual([path, 200, expect.anything()]);
    }
    const found = await get(`runs/get?run_uuid=${id}`);
    expect(found.json).toEqual((await today(`runs/get?run_id=${id}`)).json);
    expect(found.json.run).toMatchObject({
      info: { run_uuid: id, run_id: id, status: 'FINISHED', end_time: 7n, lifecycle_stage: 'active' },
      data: { metrics: [{ key: 'm', value: 2 }], params: [{ key: 'p', value: 'v' }] },
    });
    const tags = found.json.run.data.tags.map(({ key }: Json) => key);
    expect(tags).toEqual(expect.arrayContaining(['b']));
    expect(tags).not.toContain('t');
    for (const key of ['metric_key', 'key'])
      expect((await get(`metrics/get-history?run_uuid=${id}&${key}=m`)).json.metrics).toMatchObject([
        { timestamp: 5n },
      ]);
    await write('runs/delete', { run_uuid: id });
    expect((await get(`runs/list?experiment_id=${experimentId}`)).json.runs).toHaveLength(2);
  });

  it('takes numbers for the ids of experiments', async () => {
    const name = `legacy-numbers-${process.pid}-${Date.now()}`;
    const { experiment_id: id } = (await write('experiments/create', { name })).json;
    const number = Number(id);
    const stage = async () => (await today(`experiments/get?experiment_id=${id}`)).json.experiment;
    expect((await write('experiments/update', { experiment_id: number, new_name: `${name}-2` })).status).toBe(200);
    expect((await stage()).name).toBe(`${name}-2`);
    expect((await write('experiments/delete', { experiment_id: number })).status).toBe(200);
    expect((await stage()).lifecycle_stage).toBe('deleted');
    expect((await write('experiments/restore', { experiment_id: number })).status).toBe(200);
    expect((await stage()).lifecycle_stage).toBe('active');
    const { run } = (await write('runs/create', { experiment_id: number })).json;
    expect(idsOf(await search({ experiment_ids: [number] }))).toEqual([run.info.run_id]);
    expect(idsOf(await search({ experiment_ids: [id] }))).toEqual([run.info.run_id]);
    const far = await write('runs/create', '{"experiment_id":9007199254740993}');
    expect(far.body.toString()).toContain('9007199254740993');
  });

  it.each([
    [[metric('m 1', '>', 0.3)], 'first'],
    [[metric('m 1', '>=', 0.5)], 'first'],
    [[metric('m 1', '==', 0.25)], 'second'],
    [[metric('m 1', '=', 0.25)], 'second'],
    [[metric('m 1', '!=', 0.25)], 'first'],
    [[metric('m 1', '<', 0.5)], 'second'],
    [[metric('m 1', '<=', 0.5), parameter('lr', '==', '0.5')], 'first'],
    [[parameter('lr', '=', '0.25')], 'second'],
    [[parameter('lr', '!=', '0.25')], 'first'],
    [[parameter('lr', '~', '%.5')], 'first'],
    [[parameter('lr', '~', '5')], 'none'],
    [[], 'both'],
  ])('searches runs by old expressions: %j', async (anded_expressions, which) => {
    const expected = { first: [runId], second: [otherId], none: [], both: [runId, otherId] }[which];
    const body = { experiment_ids: [Number(experimentId)], anded_expressions };
    const found = await search(body);
    expect([found.status, idsOf(found)]).toEqual([200, expected]);
    const camelCase = { experiment_ids: [experimentId], andedExpressions: anded_expressions };
    expect(idsOf(await search(camelCase))).toEqual(expected);
    // The first documentation had GET.
    expect(idsOf(await get('runs/search', { body }))).toEqual(expected);
  });

  it('searches runs by a query, as the parser of the old server read it', async () => {
    const clause = 'anded_expressions[0][parameter]';
    const query = `experiment_ids[]=${experimentId}&${clause}[key]=lr&${clause}[string][comparator]==&${clause}[string][value]=0.5`;
    expect(idsOf(await get(`runs/search?${query}`))).toEqual([runId]);
    const plain = await get(`runs/search?experiment_ids=${experimentId}&filter=params.lr+%3D+%270.25%27&max_results=1`);
    expect(idsOf(plain)).toEqual([otherId]);
    expect(idsOf(await get(`runs/search?experiment_ids=${experimentId}&run_view_type=2`))).not.toContain(runId);
  });

  it.each<[string, object, string]>([
    ['of another form', { anded_expressions: 'x' }, "parameter 'anded_expressions' supplied"],
    [
      'with another comparator',
      { anded_expressions: [metric('m', '>', 1), parameter('p', '>', '1')] },
      "parameter 'anded_expressions[1].parameter.string.comparator' supplied",
    ],
    [
      'beside a filter',
      { anded_expressions: [metric('m', '>', 1)], filter: 'metrics.m > 1' },
      'Can specify only one of',
    ],
  ])('refuses expressions %s', async (_, body, message) => {
    const { status, json } = await search({ experiment_ids: [experimentId], ...body });
    expect([status, json]).toEqual([
      400,
      {
        error_code: 'INVALID_PARAMETER_VALUE',
        message: expect.stringContaining(message),
        sqlstate: 'KAM00',
        error_class: 'INVALID_PARAMETER_VALUE',
      },
    ]);
  });

  it('finds by any expressions what the filter finds', async () => {
    const written = fc.array(expression, { minLength: 1, maxLength: 3 }).filter((list) => filterTextOf(list) !== '');
    const { json } = await write('experiments/create', { name: `legacy-random-${process.pid}-${Date.now()}` });
    const values = ['0.1', 'abc', 'ABC', "it's", 'say "hi"', 'a%c', 'a_c', '日本', ''];
    for (const [i, value] of values.entries()) {
      const id = await createRun(url, { experiment_id: json.experiment_id, start_time: i });
      const params = ['lr', 'LR', 'a.b', '日本'].map((key, j) => ({ key, value: i % (j + 1) === 0 ? value : 'x' }));
      const metrics = ['a', 'lr', 'a b'].map((key, j) => ({ key, value: (i - 3) * (j - 1), timestamp: 1 }));
      await post(url, 'runs/log-batch', { run_id: id, params, metrics: i % 3 === 0 ? [] : metrics });
    }
    if (isBefore) await waitForIndex({ url, output: () => '' }, [json.experiment_id]);
    const base = isBefore ? mlflow : url;
    await fc.assert(
      fc.asyncProperty(written, async (expressions) => {
        const experiment_ids = [json.experiment_id];
        const body = { experiment_ids, filter: filterTextOf(expressions) };
        const direct = await send(`${base}${TODAY}/runs/search`, { method: 'POST', body });
        expect(direct.status).toBe(200);
        const found = await search({ experiment_ids, anded_expressions: expressions });
        expect(found.json).toEqual(direct.json);
      }),
      { numRuns: 60 },
    );
  });
});

describe('before MLflow', () => {
  const mlflow = inject('mlflowUrl');
  const settings = { upstream: { url: mlflow }, log: { level: 'warn' } } as const;
  let experimentId: string;
  let runId: string;
  beforeAll(async () => {
    const created = (await post(mlflow, 'experiments/create', { name: `legacy-keys-${Date.now()}` })) as Json;
    experimentId = created.experiment_id;
    runId = await createRun(mlflow, { experiment_id: experimentId });
    await post(mlflow, 'runs/log-batch', { run_id: runId, params: [{ key: 'lr', value: '1' }] });
  });

  it('old requests share index and cache with those of today', async () => {
    const gateway = await openGateway({
      ...settings,
      data: { dir: join(folder, 'shared') },
      index: { store: 'sqlite' },
    });
    const [today, old] = [TODAY, OLD].map((path) => `${gateway.url}${path}`);
    const sources = async (asked: Promise<Answer>) => {
      const { headers, status } = await asked;
      return [status, headers['x-gateway-source'], headers['x-cache']];
    };
    try {
      await waitForIndex({ url: gateway.url, output: () => gateway.log.join('\n') }, [experimentId]);
      const filter = { experiment_ids: [experimentId], filter: "param.lr LIKE '1%' AND params.`lr` = '1'" };
      const expressions = `{"anded_expressions":[{"parameter":{"key":"lr","string":{"comparator":"==","value":"1"}}},
        {"parameter":{"key":"lr","string":{"comparator":"~","value":"1%"}}}],"experiment_ids":[${experimentId}]}`;
      const ask = () => send(`${old}/runs/search`, { method: 'POST', body: expressions });
      expect(await sources(ask())).toEqual([200, 'index', 'MISS']);
      expect(await sources(send(`${today}/runs/search`, { method: 'POST', body: filter }))).toEqual([
        200,
        'cache',
        'HIT',
      ]);
      expect(await sources(ask())).toEqual([200, 'cache', 'HIT']);
      expect(await sources(send(`${today}/runs/get?run_id=${runId}`))).toEqual([200, 'backend', 'MISS']);
      expect(await sources(send(`${old}/runs/get?run_uuid=${runId}`))).toEqual([200, 'cache', 'HIT']);
      const param = `${old}/params/get?run_uuid=${runId}&param_name=lr`;
      expect(await sources(send(param))).toEqual([200, 'cache', undefined]);
      // An old write is as good as one of today at making void what is kept.
      await send(`${old}/runs/log-parameter`, { method: 'POST', body: { run_uuid: runId, key: 'new', value: 'v' } });
      const found = await send(`${old}/params/get?run_uuid=${runId}&param_name=new`);
      expect(found.json).toEqual({ parameter: { key: 'new', value: 'v' } });
      const infos = `${old}/experiments/get?experiment_id=${experimentId}`;
      expect(await sources(send(infos))).toEqual([200, 'backend', undefined]);
      expect(await sources(send(infos))).toEqual([200, 'cache', undefined]);
    } finally {
      await gateway.close();
    }
  });

  const oldRequests = (): readonly (readonly [path: string, sent?: Sent])[] => [
    ['experiments/list'],
    [`experiments/get?experiment_id=${experimentId}`],
    ['experiments/get', { body: { experiment_id: Number(experimentId) } }],
    [`params/get?run_uuid=${runId}&param_name=lr`],
    [`metrics/get?run_uuid=${runId}&metric_key=m`],
    [`artifacts/get?run_uuid=${runId}&path=x`],
    [`runs/list?experiment_id=${experimentId}`],
    [`runs/get?run_uuid=${runId}`],
    [`runs/search?experiment_ids=${experimentId}`],
    ['runs/delete-tag', { method: 'POST', body: { run_uuid: runId, key: 't' } }],
    ['runs/create', { method: 'POST', body: { experiment_id: Number(experimentId), run_name: 'one' } }],
    [
      'runs/search',
      {
        method: 'POST',
        body: { experiment_ids: [experimentId], anded_expressions: [parameter('lr', '=', 'nope')] },
      },
    ],
  ];
  /** As bytes, but for what is anyone's own: a new run's id and clocks. Errors of the database name them too. */
  const essentials = ({ status, headers, body }: Answer) => ({
    status,
    type: headers['content-type'],
    allow: headers.allow,
    body: body.toString().replace(/[0-9a-f]{32}|\d{13}/g, '…'),
  });
  /** An answer of the gateway's own has another layout. */
  const isOurs = ({ headers }: Answer) => ['HIT', 'MISS'].includes(String(headers['x-cache']));

  it('are what MLflow makes of them where they are not understood', async () => {
    const gateway = await openGateway(settings);
    const off = await openGateway({ ...settings, listen: { legacyRequests: 'off' } });
    try {
      for (const [path, sent] of oldRequests()) {
        const direct = await send(`${mlflow}${TODAY}/${path}`, sent);
        for (const place of [`${gateway.url}${TODAY}`, `${off.url}${TODAY}`, `${off.url}${OLD}`]) {
          const through = await send(`${place}/${path}`, sent);
          if (isOurs(through)) expect([path, through.json]).toEqual([path, direct.json]);
          else expect([path, essentials(through)]).toEqual([path, essentials(direct)]);
        }
      }
    } finally {
      await gateway.close();
      await off.close();
    }
  });

  it('are understood everywhere when that is asked for', async () => {
    const gateway = await openGateway({ ...settings, listen: { legacyRequests: 'everywhere' } });
    try {
      for (const [path, sent] of oldRequests()) {
        const answers = await Promise.all(
          [TODAY, OLD, '/ajax-api/2.0/mlflow'].map((place) => send(`${gateway.url}${place}/${path}`, sent)),
        );
        const [first, ...others] = answers.map(essentials);
        for (const other of others) expect([path, other]).toEqual([path, first]);
        const isThere = !/^(?:metrics|artifacts)\/get|^runs\/delete-tag/.test(path);
        expect([path, first?.status]).toEqual([path, isThere ? 200 : expect.any(Number)]);
      }
      const { json } = await send(`${gateway.url}${TODAY}/runs/search`, oldRequests().at(-1)?.[1]);
      expect(json).toEqual({});
    } finally {
      await gateway.close();
    }
  });

  it('are not read where there is no room for their bodies, and searches then not guessed at', async () => {
    const gateway = await openGateway({ ...settings, listen: { bodyMemoryBytes: 10 } });
    try {
      const body = { experiment_ids: [experimentId], anded_expressions: [parameter('lr', '=', 'nope')] };
      const answer = await send(`${gateway.url}${OLD}/runs/search`, { method: 'POST', body });
      expect([answer.status, answer.json.error_code]).toEqual([503, 'TEMPORARILY_UNAVAILABLE']);
      const write = { run_uuid: runId, key: 'k', value: 'v' };
      expect((await send(`${gateway.url}${OLD}/runs/set-tag`, { method: 'POST', body: write })).status).toBe(200);
    } finally {
      await gateway.close();
    }
  });

  it('are as good where there is room for their bodies once', async () => {
    const search = { experiment_ids: [experimentId], anded_expressions: [parameter('lr', '=', '1')] };
    const nothing = { ...search, anded_expressions: [parameter('lr', '=', '2')] };
    const write = { run_uuid: runId, key: 'room', value: 'v'.repeat(JSON.stringify(search).length) };
    const room = Math.max(...[search, write].map((body) => JSON.stringify(body).length));
    const gateway = await openGateway({ ...settings, listen: { bodyMemoryBytes: room + 10 } });
    const post1 = (path: string, body: object) => send(`${gateway.url}${OLD}/${path}`, { method: 'POST', body });
    try {
      const found = await post1('runs/search', search);
      expect([idsOf(found), found.headers['x-gateway-source']]).toEqual([[runId], 'backend']);
      expect((await post1('runs/search', nothing)).json).toEqual({});
      expect((await post1('runs/set-tag', write)).status).toBe(200);
      const { json } = await send(`${gateway.url}${OLD}/runs/get?run_uuid=${runId}`);
      expect(json.run.data.tags).toContainEqual({ key: 'room', value: write.value });
    } finally {
      await gateway.close();
    }
  });

  it('do not let pages of other origins read', async () => {
    const gateway = await openGateway(settings);
    const headers = { origin: 'https://evil.example' };
    try {
      for (const path of [
        `params/get?run_uuid=${runId}&param_name=lr`,
        `experiments/get?experiment_id=${experimentId}`,
      ]) {
        const answer = await send(`${gateway.url}${OLD}/${path}`, { headers });
        expect(answer.headers['access-control-allow-origin']).toBeUndefined();
      }
      const local = { origin: 'http://localhost:3000' };
      const answer = await send(`${gateway.url}${OLD}/params/get?run_uuid=${runId}&param_name=lr`, { headers: local });
      expect(answer.headers['access-control-allow-origin']).toBe(local.origin);
    } finally {
      await gateway.close();
    }
  });
});
