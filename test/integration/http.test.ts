import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { type OpenGateway, openGateway } from '../fixtures/open-gateway.ts';
import { postJson } from '../fixtures/post-json.ts';
import { experimentWrites, runWrites } from '../fixtures/run-writes.ts';

const API = '/api/2.0/mlflow';
const HISTORY = `${API}/metrics/get-history`;

let mlflow: string;
let gateway: OpenGateway;
let experimentId: string;
let runId: string;
beforeAll(async () => {
  mlflow = inject('mlflowUrl');
  gateway = await openGateway({ upstream: { url: mlflow }, log: { level: 'warn' } });
  experimentId = (await post(mlflow, 'experiments/create', { name: newName() })).experiment_id;
  const { run } = await post(mlflow, 'runs/create', { experiment_id: experimentId, run_name: 'é', start_time: 1 });
  runId = run.info.run_id;
  const values = [1, 0.1, 'NaN'].map((value, step) => ({ key: 'm 1', value, step, timestamp: 1 }));
  await post(mlflow, 'runs/log-batch', { run_id: runId, metrics: values });
});
afterAll(() => gateway.close());

let names = 0;
const newName = () => `http-${process.pid}-${Date.now()}-${names++}`;

// biome-ignore lint/suspicious/noExplicitAny: MLflow's JSON
type Json = any;

async function post(base: string, path: string, body: object): Promise<Json> {
  const answer = await postJson(`${base}${path.startsWith('/') ? path : `${API}/${path}`}`, body);
  const json = await answer.json();
  if (!answer.ok) throw new Error(`${path}: ${JSON.stringify(json)}`);
  return json;
}

interface Asked {
  readonly path: string;
  readonly init?: RequestInit;
}

const get = (path: string, headers: Record<string, string> = {}): Asked => ({ path, init: { headers } });
const search = (body: unknown, headers: Record<string, string> = {}, path = `${API}/runs/search`): Asked => ({
  path,
  init: {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  },
});

async function answerOf(base: string, { path, init }: Asked) {
  const answer = await fetch(base + path, { redirect: 'manual', ...init });
  const headers = Object.fromEntries(answer.headers);
  return { status: answer.status, headers, body: await answer.text() };
}

/** What may differ between the gateway and MLflow: clocks, connections, whose answer it is. */
const INCIDENTAL = [
  ...['date', 'server', 'connection', 'keep-alive', 'transfer-encoding', 'x-mlflow-gateway-duration-ms'],
  ...['x-gateway-source', 'x-cache'],
];

function essentials(headers: Record<string, string>): Record<string, string> {
  const { vary, ...rest } = headers;
  const kept = Object.entries(rest).filter(([name]) => !INCIDENTAL.includes(name));
  return { ...Object.fromEntries(kept), ...(vary && { vary: [...new Set(vary.split(', '))].join() }) };
}

async function bothAnswers(asked: Asked) {
  const direct = await answerOf(mlflow, asked);
  const through = await answerOf(gateway.url, asked);
  return { direct, through };
}

describe('what the gateway does not own', () => {
  it.each<[string, () => Asked]>([
    ['the UI', () => get('/')],
    ['health', () => get('/health')],
    ['version', () => get('/version')],
    ['HEAD', () => ({ path: '/health', init: { method: 'HEAD' } })],
    ['a path that does not exist', () => get('/nope')],
    ['a wrong method', () => get(`${API}/runs/search`)],
    ['a trailing slash', () => get(`${API}/runs/get/?run_id=x`)],
    ['a path in other case', () => get('/api/2.0/MLflow/experiments/get?experiment_id=0')],
    ['another API', () => get('/api/3.0/mlflow/server-info')],
    ['registered models', () => get(`${API}/registered-models/search`)],
    ['a preflight', () => ({ path: `${API}/runs/search`, init: { method: 'OPTIONS', headers: PREFLIGHT } })],
    ['a foreign preflight', () => ({ path: `${API}/runs/search`, init: { method: 'OPTIONS', headers: FOREIGN } })],
    ['GraphQL', () => search({ query: '{ __typename }' }, {}, '/graphql')],
    ['a gateway path of MLflow', () => get('/gateway/mlflow/v1/models')],
    ['a job search', () => search({}, {}, '/ajax-api/3.0/jobs/search')],
  ])('comes from MLflow untouched: %s', async (_, asked) => {
    const { direct, through } = await bothAnswers(asked());
    expect(through.status).toBe(direct.status);
    expect(through.body).toBe(direct.body);
    expect(essentials(through.headers)).toEqual(essentials(direct.headers));
    expect(through.headers['x-gateway-source']).toBeUndefined();
  });

  it.each([
    ['GET', 'runs/get'],
    ['POST', 'runs/create'],
  ])('is redirected to the gateway, not past it: %s', async (method, name) => {
    const { direct, through } = await bothAnswers({ path: `/api/2.0//mlflow/${name}?x=1`, init: { method } });
    expect([direct.status, through.status]).toEqual([308, 308]);
    expect(direct.headers.location).toBe(`${mlflow}${API}/${name}?x=1`);
    expect(through.headers.location).toBe(`${gateway.url}${API}/${name}?x=1`);
  });
});

const PREFLIGHT = { origin: 'http://localhost:3000', 'access-control-request-method': 'POST' };
const FOREIGN = { origin: 'https://evil.example', 'access-control-request-method': 'POST' };

describe('native endpoints', () => {
  const natives: [string, () => Asked][] = [
    ['runs/get', () => get(`${API}/runs/get?run_id=${runId}&run_uuid=${runId}`)],
    ['runs/get by one id', () => get(`${API}/runs/get?run_id=${runId}`)],
    ['experiments/get', () => get(`${API}/experiments/get?experiment_id=${experimentId}`)],
    ['experiments/get-by-name', () => get(`${API}/experiments/get-by-name?experiment_name=Default`)],
    [
      'experiments/search by GET',
      () => get(`${API}/experiments/search?max_results=3&order_by=name+DESC&filter=name+LIKE+%27%25%27`),
    ],
    ['experiments/search', () => search({ max_results: 2, view_type: 'ALL' }, {}, `${API}/experiments/search`)],
    ['runs/search', () => search({ experiment_ids: [experimentId] })],
    ['runs/search for nothing', () => search({ experiment_ids: [] })],
    [
      'runs/search with a charset',
      () => search({ experiment_ids: [experimentId] }, { 'content-type': 'application/json; charset=utf-8' }),
    ],
    ['a local page', () => search({ experiment_ids: [experimentId] }, { origin: 'http://localhost:3000' })],
    ['a local page over TLS', () => search({ experiment_ids: [experimentId] }, { origin: 'https://127.0.0.1' })],
    ['metrics/get-history', () => get(`${HISTORY}?run_id=${runId}&run_uuid=${runId}&metric_key=m+1&max_results=25000`)],
    ['metrics/get-history, a page', () => get(`${HISTORY}?run_id=${runId}&metric_key=m%201&max_results=1`)],
    ['metrics/get-history of none', () => get(`${HISTORY}?run_id=${'0'.repeat(32)}&metric_key=m&max_results=1`)],
    [
      'metrics/get-history-bulk-interval',
      () => get(`${HISTORY}-bulk-interval?run_ids=${runId}&run_ids=${'0'.repeat(32)}&metric_key=m%201&max_results=320`),
    ],
    [
      'metrics/get-history-bulk-interval of steps',
      () => get(`${HISTORY}-bulk-interval?run_ids=${runId}&metric_key=m%201&max_results=1&start_step=-1&end_step=1`),
    ],
    ['an empty workspace', () => search({ experiment_ids: [experimentId] }, { 'x-mlflow-workspace': ' ' })],
  ];

  it.each(natives)('answer as MLflow does, fetched and found: %s', async (_, asked) => {
    const { direct, through } = await bothAnswers(asked());
    const again = await answerOf(gateway.url, asked());
    const { 'content-length': _length, ...headers } = essentials(direct.headers);
    const isGet = asked().init?.method === undefined;
    const validators = { etag: expect.stringMatching(/^"[\w-]{43}"$/), 'cache-control': 'no-cache' };
    for (const answer of [through, again]) {
      const isStored = answer.headers['x-cache'] === 'HIT';
      expect(answer.status).toBe(200);
      expect(JSON.parse(answer.body)).toEqual(JSON.parse(direct.body));
      expect(essentials(answer.headers)).toEqual({
        ...headers,
        ...(isGet && validators),
        ...(isStored && { age: expect.stringMatching(/^\d$/) }),
        'content-length': String(Buffer.byteLength(answer.body)),
      });
    }
    expect(again.headers).toMatchObject({ 'x-cache': 'HIT', 'x-gateway-source': 'cache' });
  });

  it('have three prefixes, and one cache entry', async () => {
    const name = newName();
    await post(mlflow, 'experiments/create', { name });
    const seen: (string | undefined)[] = [];
    for (const prefix of [
      '/api/2.0/mlflow',
      '/ajax-api/2.0/mlflow',
      '/api/2.0/preview/mlflow',
      '/ajax-api/2.0/preview/mlflow',
    ]) {
      const answer = await answerOf(gateway.url, get(`${prefix}/experiments/get-by-name?experiment_name=${name}`));
      expect(JSON.parse(answer.body).experiment.name).toBe(name);
      seen.push(answer.headers['x-cache']);
    }
    expect(seen).toEqual(['MISS', 'HIT', 'HIT', 'HIT']);
  });

  const handedOn: [string, () => Asked][] = [
    ['an unknown field', () => search({ experiment_ids: ['0'], nonsense: 1 })],
    ['numbers as ids', () => search({ experiment_ids: [1] })],
    ['null', () => search({ experiment_ids: ['0'], filter: null })],
    ['other spelling', () => search({ experimentIds: ['0'] })],
    ['both spellings', () => search({ experimentIds: ['0'], experiment_ids: ['0'] })],
    ['max_results 0', () => search({ experiment_ids: ['0'], max_results: 0 })],
    ['max_results -1', () => search({ experiment_ids: ['0'], max_results: -1 })],
    ['max_results 50001', () => search({ experiment_ids: ['0'], max_results: 50_001 })],
    ['max_results "x"', () => search({ experiment_ids: ['0'], max_results: 'x' })],
    ['a half filter', () => search({ experiment_ids: ['0'], filter: 'metrics.a >' })],
    ['an unknown key', () => search({ experiment_ids: ['0'], filter: "nonsense = 'a'" })],
    ['unbalanced quotes', () => search({ experiment_ids: ['0'], filter: "params.a = 'x" })],
    ['a foreign page token', () => search({ experiment_ids: ['0'], page_token: 'abc' })],
    ['an order twice', () => search({ experiment_ids: ['0'], order_by: ['metrics.a', 'metric.a DESC'] })],
    ['malformed JSON', () => search('{"experiment_ids":')],
    ['NaN', () => search('{"experiment_ids":["0"],"max_results":NaN}')],
    ['a byte order mark', () => search('\uFEFF{"experiment_ids":["0"]}')],
    ['JSON in a string', () => search(JSON.stringify(JSON.stringify({ experiment_ids: ['0'] })))],
    ['an empty body', () => search('')],
    ['a list', () => search('[]')],
    ['another content type', () => search({ experiment_ids: ['0'] }, { 'content-type': 'text/plain' })],
    ['a content type in capitals', () => search({ experiment_ids: ['0'] }, { 'content-type': 'Application/JSON' })],
    ['a content encoding', () => search({ experiment_ids: ['0'] }, { 'content-encoding': 'gzip' })],
    ['a foreign page', () => search({ experiment_ids: ['0'] }, { origin: 'https://evil.example' })],
    ['origin null', () => search({ experiment_ids: ['0'] }, { origin: 'null' })],
    ['a user', () => search({ experiment_ids: ['0'] }, { authorization: 'Basic eDp5' })],
    ['a workspace', () => search({ experiment_ids: ['0'] }, { 'x-mlflow-workspace': 'default' })],
    ['a filter of 1 MB', () => search({ experiment_ids: ['0'], filter: `params.a = '${'x'.repeat(1_100_000)}'` })],
    ['no query', () => get(`${API}/runs/get`)],
    ['an unknown run', () => get(`${API}/runs/get?run_id=${'0'.repeat(32)}`)],
    ['an odd run id', () => get(`${API}/runs/get?run_id=nope`)],
    ['two ids', () => get(`${API}/runs/get?run_id=${'0'.repeat(32)}&run_uuid=x`)],
    ['an unknown experiment', () => get(`${API}/experiments/get?experiment_id=999999`)],
    ['an experiment id in Python', () => get(`${API}/experiments/get?experiment_id=+0`)],
    ['an unknown name', () => get(`${API}/experiments/get-by-name?experiment_name=nope`)],
    ['a history of any length', () => get(`${HISTORY}?run_id=${runId}&metric_key=m`)],
    ['a history of length 0', () => get(`${HISTORY}?run_id=${runId}&metric_key=m&max_results=0`)],
    ['a history without a key', () => get(`${HISTORY}?run_id=${runId}&max_results=1`)],
    [
      'a history with a foreign page token',
      () => get(`${HISTORY}?run_id=${runId}&metric_key=m&max_results=1&page_token=x`),
    ],
    ['histories of no run', () => get(`${HISTORY}-bulk-interval?metric_key=m&max_results=1`)],
    ['many histories', () => get(`${HISTORY}-bulk-interval?run_ids=${runId}&metric_key=m&max_results=25001`)],
    [
      'an interval that ends before it begins',
      () => get(`${HISTORY}-bulk-interval?run_ids=${runId}&metric_key=m&max_results=1&start_step=3&end_step=1`),
    ],
    ['no max_results', () => search({}, {}, `${API}/experiments/search`)],
    ['a parameter twice', () => get(`${API}/experiments/search?max_results=1&max_results=2`)],
    [
      'a GET of a local page with a foreign name',
      () => get(`${API}/experiments/get?experiment_id=0`, { origin: 'https://evil.example' }),
    ],
  ];

  it.each(handedOn)('leave to MLflow what is not plain: %s', async (_, asked) => {
    const { direct, through } = await bothAnswers(asked());
    expect(through.status).toBe(direct.status);
    expect(comparable(through.body)).toBe(comparable(direct.body));
    expect(essentials(through.headers)).toEqual(essentials(direct.headers));
    expect(through.headers).toMatchObject({ 'x-gateway-source': 'backend', 'x-cache': 'BYPASS' });
  });

  /** Sets are printed in an order of their own by every process. */
  const comparable = (body: string) =>
    body.replace(/\{('[^{}]*')\}/g, (_, set: string) => set.split(', ').sort().join());

  it('leave a chunked body to MLflow, which reads it as empty', async () => {
    const asked: Asked = {
      path: `${API}/runs/search`,
      init: {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: new Blob([JSON.stringify({ experiment_ids: [experimentId] })]).stream(),
        duplex: 'half',
      } as RequestInit,
    };
    const answer = await answerOf(gateway.url, asked);
    expect([answer.status, answer.body]).toEqual([200, '{}']);
    expect(answer.headers['x-gateway-source']).toBe('backend');
  });
});

describe('a write through the gateway', () => {
  const written = () => ({ runId, experimentId });

  const reads = (): Asked[] => [
    get(`${API}/runs/get?run_id=${runId}`),
    search({ experiment_ids: [experimentId], run_view_type: 'ALL' }),
    search({ experiment_ids: [experimentId] }),
    get(`${API}/experiments/get?experiment_id=${experimentId}`),
    // Other tests write to the same server.
    search({ max_results: 50_000, view_type: 'ALL', filter: "name LIKE 'http-%'" }, {}, `${API}/experiments/search`),
  ];

  it.each([...runWrites(written), ...experimentWrites(written, newName)])(
    'is seen by every read after it: %s',
    async (path, body) => {
      const before = await Promise.all(reads().map((asked) => answerOf(gateway.url, asked)));
      const warm = await Promise.all(reads().map((asked) => answerOf(gateway.url, asked)));
      expect(warm.map(({ headers }) => headers['x-cache'])).toEqual(warm.map(() => 'HIT'));

      await post(gateway.url, path, body());
      const after = await Promise.all(reads().map((asked) => answerOf(gateway.url, asked)));
      const direct = await Promise.all(reads().map((asked) => answerOf(mlflow, asked)));
      expect(after.map((answer) => JSON.parse(answer.body))).toEqual(direct.map((answer) => JSON.parse(answer.body)));
      expect(after.map((answer) => answer.body)).not.toEqual(before.map((answer) => answer.body));
    },
  );

  it('is seen when its body is longer than what is read of one', async () => {
    const read = reads()[0] as Asked;
    await answerOf(gateway.url, read);
    const tags = [{ key: 'long', value: 'x'.repeat(40_000_000) }];
    await post(gateway.url, 'runs/log-batch', { run_id: runId, tags });
    expect((await answerOf(gateway.url, read)).body).toBe((await answerOf(mlflow, read)).body);
  });

  it('leaves what it cannot change in the cache', async () => {
    const other = await post(gateway.url, 'experiments/create', { name: newName() });
    const { run } = await post(gateway.url, 'runs/create', { experiment_id: other.experiment_id });
    const read = search({ experiment_ids: [experimentId] });
    await answerOf(gateway.url, read);
    await post(gateway.url, 'runs/log-metric', { run_id: run.info.run_id, key: 'm', value: 1, timestamp: 1 });
    expect((await answerOf(gateway.url, read)).headers['x-cache']).toBe('HIT');
  });

  it('that is refused comes back in the words of MLflow, and changes nothing in the cache', async () => {
    const read = reads()[1] as Asked;
    await answerOf(gateway.url, read);
    for (const body of [{}, { key: 'a' }, { run_id: '', key: 'a' }]) {
      const { direct, through } = await bothAnswers(search(body, {}, `${API}/runs/set-tag`));
      expect([through.status, through.body]).toEqual([direct.status, direct.body]);
      expect(essentials(through.headers)).toEqual(essentials(direct.headers));
    }
    expect((await answerOf(gateway.url, read)).headers['x-cache']).toBe('HIT');
  });
});

describe('/gateway/', () => {
  it('says how it is', async () => {
    const status = JSON.parse((await answerOf(gateway.url, get('/gateway/status'))).body);
    expect(status).toMatchObject({
      upstream: { url: mlflow, reachable: true, dialect: 'sqlite' },
      accelerated: { active: true, anonymousAccess: 'open' },
      index: 'none',
      cache: 'memory',
    });
  });

  it('lists the searches it did not understand, each once', async () => {
    const asked = search({ experiment_ids: ['0'], filter: 'OR nonsense' });
    await answerOf(gateway.url, asked);
    await answerOf(gateway.url, asked);
    const { unparsedSearches } = JSON.parse((await answerOf(gateway.url, get('/gateway/status'))).body);
    expect(unparsedSearches[0]).toEqual({
      endpoint: 'runs/search',
      filter: 'OR nonsense',
      reason: expect.stringContaining('OR'),
      count: 2,
    });
  });

  it('counts what it does', async () => {
    await answerOf(gateway.url, search({ experiment_ids: [experimentId] }));
    await answerOf(gateway.url, search({ experiment_ids: [experimentId] }));
    const { body, headers } = await answerOf(gateway.url, get('/gateway/metrics'));
    expect(headers['content-type']).toContain('text/plain');
    expect(body).toMatch(
      /^gateway_requests_total\{route="runs\/search",source="cache",cache="HIT",status="200"\} [1-9]/m,
    );
    expect(body).toMatch(/^gateway_requests_total\{route="write",source="",cache="",status="200"\} [1-9]/m);
    expect(body).toMatch(/^gateway_handed_on_total\{route="runs\/search",reason="fields"\} [1-9]/m);
    expect(body).toMatch(/^gateway_handed_on_total\{route="runs\/search",reason="search"\} [1-9]/m);
    expect(body).toMatch(/^gateway_handed_on_total\{route="runs\/search",reason="caller"\} [1-9]/m);
  });

  it('never failed on its own in all of this', () => {
    expect(gateway.log).toEqual([]);
  });
});
