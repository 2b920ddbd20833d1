import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import {
  type ApiVersion,
  AzureClient,
  createMlflowRequester,
  type FailedExchange,
  logBatch,
  normaliseAnswer,
  readMetricHistory,
  type TokenSource,
  workspaceAddress,
} from '../../adapters/azureml/index.ts';
import { normaliseRun, splitAzureRuns } from '../../adapters/azureml/normalise-run.ts';
import { splitRuns } from '../../src/domain/run-text.ts';
import { isGuid, toExperimentNumber, toRunHex } from '../azureml-stand-in/ids.ts';
import { withDefaults } from '../azureml-stand-in/rules.ts';
import { type AzureMlStandIn, startAzureMlStandIn } from '../azureml-stand-in/start-azure-ml-stand-in.ts';
import { post } from '../fuzz/load-runs.ts';

const mlflowUrl = inject('mlflowUrl');
const API = '/api/2.0/mlflow';
const NOW = 1_700_000_000_000;
let standIn: AzureMlStandIn;
let client: AzureClient;
const failures: FailedExchange[] = [];
const opened: AzureClient[] = [];

const always = (token: string): TokenSource => ({ token: async () => token });

function open(tokens: TokenSource, apiVersion: ApiVersion = 'v2.0'): AzureClient {
  const made = new AzureClient({
    address: workspaceAddress({ trackingUri: standIn.trackingUri }, { cloud: 'public', apiVersion }),
    tokens,
    timeoutMs: 20_000,
    connections: 4,
    caFile: standIn.caFile,
    retry: { firstMs: 2 },
    onFailure: (failure) => failures.push(failure),
  });
  opened.push(made);
  return made;
}

beforeAll(async () => {
  standIn = await startAzureMlStandIn({ upstream: mlflowUrl });
  client = open(always(standIn.issueToken({ displayName: 'Ada Lovelace' })));
});
beforeEach(() => {
  standIn.requests.length = 0;
  failures.length = 0;
});
afterEach(() => standIn.change(withDefaults()));
afterAll(async () => {
  await Promise.all(opened.map((one) => one.close()));
  await standIn.stop();
});

/** Asks, and gives a 200 as MLflow would have it. */
async function ask(path: string, body?: unknown, by = client) {
  const answer = await by.request({
    method: body === undefined ? 'GET' : 'POST',
    path: `${API}/${path}`,
    headers: { 'content-type': 'application/json' },
    ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const raw = answer.body.toString();
  const text = answer.status === 200 ? normaliseAnswer(`${API}/${path}`, raw) : raw;
  // biome-ignore lint/suspicious/noExplicitAny: whatever JSON there is
  return { status: answer.status, raw, text, json: JSON.parse(text) as any };
}

let made = 0;
const newExperiment = async (): Promise<string> =>
  (await ask('experiments/create', { name: `client-${process.pid}-${Date.now()}-${made++}` })).json.experiment_id;

async function newRun(experimentId: string, more: object = {}): Promise<string> {
  const { json } = await ask('runs/create', { experiment_id: experimentId, start_time: NOW, run_name: 'one', ...more });
  return json.run.info.run_id;
}

const fromMlflow = async (path: string) => (await fetch(`${mlflowUrl}${API}/${path}`)).text();

describe('a run', () => {
  it('of MLflow is printed as MLflow prints it', async () => {
    const name = `printed-${process.pid}-${Date.now()}`;
    const { experiment_id } = (await post(mlflowUrl, 'experiments/create', { name })) as { experiment_id: string };
    const create = async (more: object) => {
      const { run } = (await post(mlflowUrl, 'runs/create', { experiment_id, ...more })) as {
        run: { info: { run_id: string } };
      };
      return run.info.run_id;
    };
    await create({});
    const full = await create({ start_time: NOW, user_id: 'u', run_name: 'one' });
    const metrics = [
      { key: 'a', value: 1, timestamp: '9223372036854775807', step: '-9223372036854775808' },
      { key: 'b', value: 1e-7, timestamp: 0, step: 0 },
      { key: 'c', value: 'NaN', timestamp: 1, step: 2 },
      { key: 'd', value: 1e300, timestamp: 1, step: 2 },
    ];
    const [params, tags] = [[{ key: 'p', value: 'x "y"' }], [{ key: 't', value: '' }]];
    await post(mlflowUrl, 'runs/log-batch', { run_id: full, metrics, params, tags });
    const dataset = { name: 'd', digest: '1', source_type: 'local', source: 's', schema: '{}', profile: '{}' };
    const context = [{ key: 'mlflow.data.context', value: 'train' }];
    await post(mlflowUrl, 'runs/log-inputs', { run_id: full, datasets: [{ dataset, tags: context }] });
    await post(mlflowUrl, 'runs/update', { run_id: full, status: 'FINISHED', end_time: NOW + 1 });

    const search = { experiment_ids: [experiment_id], order_by: ['start_time ASC'] };
    const answer = await fetch(`${mlflowUrl}${API}/runs/search`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(search),
    });
    const { runs } = splitRuns(await answer.text());
    expect(runs).toHaveLength(2);
    expect(runs.map(normaliseRun)).toEqual(runs);
    // As Azure would send them: int64 as text.
    const asAzure = runs.map((text) => text.replace(/"(start_time|end_time|timestamp|step)":(-?\d+)/g, '"$1":"$2"'));
    expect(asAzure).not.toEqual(runs);
    expect(asAzure.map(normaliseRun)).toEqual(runs);
  });

  it('of Azure reads as it is in MLflow, but for what Azure adds', async () => {
    const runId = await newRun(await newExperiment(), { tags: [{ key: 'mlflow.user', value: 'me' }] });
    await ask('runs/log-batch', {
      run_id: runId,
      metrics: [{ key: 'm', value: 0.5, timestamp: '9223372036854775807', step: 3 }],
      params: [{ key: 'p', value: '1' }],
    });
    const { text, json } = await ask(`runs/get?run_id=${runId}`);
    expect(isGuid(runId)).toBe(true);
    expect(json.run.info).toMatchObject({ run_id: runId, run_uuid: runId, user_id: 'Ada Lovelace', start_time: NOW });
    expect(text).toContain('{"key":"m","value":0.5,"timestamp":9223372036854775807,"step":3}');
    const tags = json.run.data.tags.filter(({ key }: { key: string }) => key === 'mlflow.user');
    expect(tags).toEqual([{ key: 'mlflow.user', value: 'Ada Lovelace' }]);

    const own = JSON.parse(await fromMlflow(`runs/get?run_id=${toRunHex(runId)}`));
    expect(Object.keys(json.run)).toEqual(Object.keys(own.run));
    expect(Object.keys(json.run.info)).toEqual(Object.keys(own.run.info));
    expect([json.run.data.metrics, json.run.data.params]).toEqual([own.run.data.metrics, own.run.data.params]);
  });

  it('is found by a search, in the same words', async () => {
    const experimentId = await newExperiment();
    const runId = await newRun(experimentId);
    const search = { experiment_ids: [experimentId], max_results: 10 };
    const { raw, json } = await ask('runs/search', search);
    const { runs, nextPageToken } = splitAzureRuns(raw);
    expect(nextPageToken).toBeUndefined();
    expect(runs.map((text) => JSON.parse(String(text)))).toEqual(json.runs);
    expect(runs.map(String)).toEqual([JSON.stringify((await ask(`runs/get?run_id=${runId}`)).json.run)]);
  });

  it('that is updated and deleted is answered as by MLflow', async () => {
    const runId = await newRun(await newExperiment());
    const { json } = await ask('runs/update', { run_id: runId, status: 'FINISHED', end_time: NOW + 5 });
    expect(json.run_info).toMatchObject({ run_id: runId, status: 'FINISHED', end_time: expect.any(Number) });
    expect((await ask('runs/delete', { run_id: runId })).text).toBe('{}');
    expect((await ask(`runs/get?run_id=${runId}`)).json.run.info.lifecycle_stage).toBe('deleted');
  });
});

describe('an experiment', () => {
  it('is answered as by MLflow', async () => {
    const id = await newExperiment();
    const { json } = await ask(`experiments/get?experiment_id=${id}`);
    const own = JSON.parse(await fromMlflow(`experiments/get?experiment_id=${toExperimentNumber(id)}`)).experiment;
    expect(json.experiment).toMatchObject({
      experiment_id: id,
      name: own.name,
      creation_time: own.creation_time,
      last_update_time: own.last_update_time,
    });
    const byName = await ask(`experiments/get-by-name?experiment_name=${own.name}`);
    expect(byName.json).toEqual(json);
    const found = await ask('experiments/search', { filter: `name = '${own.name}'`, max_results: 5 });
    expect(found.json.experiments).toEqual([json.experiment]);
  });

  it('with a slash in its name is lost there, which is why it is not sent', async () => {
    const name = `client/${process.pid}-${Date.now()}`;
    expect((await ask('experiments/create', { name })).status).toBe(200);
    expect((await ask(`experiments/get-by-name?experiment_name=${encodeURIComponent(name)}`)).status).toBe(404);
  });
});

describe('values of a metric', () => {
  it('are written in pieces and read in pages, all and in order', async () => {
    const runId = await newRun(await newExperiment());
    const metrics = Array.from({ length: 2_300 }, (_, step) => ({
      key: 'm',
      value: step,
      timestamp: NOW + step,
      step,
    }));
    for (let at = 0; at < metrics.length; at += 1_000) {
      const body = JSON.stringify({ run_id: runId, metrics: metrics.slice(at, at + 1_000) });
      expect((await logBatch(client, body)).status).toBe(200);
    }
    const expected = await fromMlflow(`metrics/get-history?run_id=${toRunHex(runId)}&metric_key=m`);
    const all = JSON.parse(await readMetricHistory(client, { runId, metricKey: 'm', maxResults: 25_000 }));
    expect(all).toEqual(JSON.parse(expected));

    const first = JSON.parse(await readMetricHistory(client, { runId, metricKey: 'm', maxResults: 1_200 }));
    const rest = { runId, metricKey: 'm', maxResults: 1_200, pageToken: first.next_page_token };
    const second = JSON.parse(await readMetricHistory(client, rest));
    expect([first.metrics.length, second.metrics.length, second.next_page_token]).toEqual([1_200, 1_100, undefined]);
    expect([...first.metrics, ...second.metrics]).toEqual(all.metrics);
  });

  it('are refused by Azure in larger sizes', async () => {
    const runId = await newRun(await newExperiment());
    expect((await ask(`metrics/get-history?run_id=${runId}&metric_key=m&max_results=1000`)).json).toEqual({
      error_code: 'INVALID_PARAMETER_VALUE',
      message: 'MaxResults = 1000 is invalid: MaxResults must be less than 1000.',
    });
    const metrics = Array.from({ length: 251 }, (_, step) => ({ key: 'm', value: 1, timestamp: NOW, step }));
    expect((await ask('runs/log-batch', { run_id: runId, metrics })).json).toMatchObject({
      error_code: 'INVALID_PARAMETER_VALUE',
      message: expect.stringContaining('Limit=250'),
    });
  });

  it('of which a piece fails are written up to there, and that is said', async () => {
    const runId = await newRun(await newExperiment());
    const metrics = Array.from({ length: 600 }, (_, step) => ({ key: 'm', value: 1, timestamp: NOW, step }));
    const isSecond = (request: { body: unknown }) =>
      (request.body as { metrics?: { step: number }[] }).metrics?.[0]?.step === 250;
    standIn.failNext({ status: 500, body: 'json', only: isSecond });
    const answer = await logBatch(client, JSON.stringify({ run_id: runId, metrics }));
    expect(answer.status).toBe(503);
    expect(JSON.parse(answer.body.toString()).message).toMatch(
      /first 250 of 600 values of metrics; then: On demand\.$/,
    );
    const { metrics: written } = JSON.parse(await readMetricHistory(client, { runId, metricKey: 'm' }));
    expect(written).toHaveLength(250);
  });
});

describe('who is calling', () => {
  it('by a token that has expired gets another one, once', async () => {
    const demands: boolean[] = [];
    const [old, next] = [standIn.issueToken({ expiresInMs: -1 }), standIn.issueToken()];
    const renewing = open({
      async token({ fresh = false } = {}) {
        if (fresh) demands.push(fresh);
        return demands.length > 0 ? next : old;
      },
    });
    expect((await ask('experiments/search', { max_results: 1 }, renewing)).status).toBe(200);
    expect((await ask('experiments/search', { max_results: 1 }, renewing)).status).toBe(200);
    expect(demands).toEqual([true]);
    expect(standIn.requests).toHaveLength(3);
    const ids = standIn.requests.map(({ headers }) => headers['x-ms-client-request-id']);
    expect([ids[0] === ids[1], ids[1] === ids[2]]).toEqual([true, false]);
  });

  it.each([
    ['another audience', { audience: 'https://example.org' }],
    ['a time that is past', { expiresInMs: -1 }],
  ])('by a token for %s is told where to look', async (_what, token) => {
    const { status, json } = await ask(
      'experiments/search',
      { max_results: 1 },
      open(always(standIn.issueToken(token))),
    );
    expect([status, json.error_code]).toEqual([401, 'UNAUTHENTICATED']);
    expect(json.message).toMatch(/^Bearer token .* of workspace stand-in \(resource group tests\)\.$/);
  });

  it.each<ApiVersion>(['v1.0', 'v2.0'])('without rights is told of the role: %s', async (version) => {
    const guest = open(always(standIn.issueToken({ rights: 'none' })), version);
    const { status, json } = await ask('experiments/search', { max_results: 1 }, guest);
    expect([status, json.error_code]).toEqual([403, 'PERMISSION_DENIED']);
    expect(json.message).toMatch(/ role AzureML Data Scientist in workspace stand-in \(resource group tests\)\.$/);
  });

  it('from outside a private link is told of it, though Azure says 500', async () => {
    standIn.change({ privateHost: true });
    const { status, json } = await ask('experiments/search', { max_results: 1 });
    expect([status, json.error_code]).toEqual([403, 'PERMISSION_DENIED']);
    expect(json.message).toMatch(/private link configuration\. Reach workspace stand-in/);
    expect(standIn.requests).toHaveLength(1);
  });
});

describe('what Azure refuses', () => {
  it.each([
    ['GET', `runs/get?run_id=${'0'.repeat(32)}`, undefined, 404, 'RESOURCE_DOES_NOT_EXIST'],
    ['POST', 'runs/nothing', {}, 404, 'ENDPOINT_NOT_FOUND'],
    ['POST', 'runs/search', { experiment_ids: ['0'], filter: "tags.a LIKE 'b'" }, 400, 'INVALID_PARAMETER_VALUE'],
    ['POST', 'logged-models/search', {}, 404, 'ENDPOINT_NOT_FOUND'],
  ])('comes in the words of MLflow: %s %s', async (_method, path, body, status, code) => {
    const answer = await ask(path, body);
    expect([answer.status, answer.json]).toEqual([status, { error_code: code, message: expect.stringMatching(/\S/) }]);
  });

  it('can be found again by those who run it', async () => {
    await ask('runs/search', { experiment_ids: ['0'], filter: "tags.a LIKE 'b'" });
    expect(failures).toMatchObject([
      {
        method: 'POST',
        path: `${API}/runs/search`,
        status: 400,
        attempt: 1,
        requestId: standIn.requests[0]?.headers['x-ms-client-request-id'],
        correlationId: expect.stringMatching(/^[0-9a-f-]{36}$/),
        operation: expect.stringMatching(/^[0-9a-f]{32}$/),
        repeatedInMs: undefined,
      },
    ]);
  });
});

describe('a bad moment', () => {
  const search = () => ask('experiments/search', { max_results: 1 });

  it.each([
    { status: 429 },
    { status: 429, retryAfter: 0 },
    { status: 500, body: 'json' },
    { status: 503, body: 'html' },
    { status: 530 },
    { cut: true },
  ] as const)('of a read passes: %j', async (fault) => {
    standIn.failNext(fault, 2);
    expect((await search()).status).toBe(200);
    expect(standIn.requests).toHaveLength(3);
    expect(failures).toHaveLength(2);
  });

  it('that does not pass is said', async () => {
    standIn.failNext({ status: 503, body: 'html' }, 4);
    const { status, json } = await search();
    expect([status, json.error_code]).toEqual([503, 'TEMPORARILY_UNAVAILABLE']);
    expect(standIn.requests).toHaveLength(4);
  });

  it.each([{ status: 500, applied: true }, { status: 504, applied: true }, { cut: true }])(
    'of a run that may be there creates no second: %j',
    async (fault) => {
      const experimentId = await newExperiment();
      standIn.failNext({ ...fault, only: ({ path }) => path.endsWith('runs/create') });
      const creation = ask('runs/create', { experiment_id: experimentId, start_time: NOW });
      const outcome = await creation.then(
        ({ status }) => status,
        ({ code }) => code,
      );
      expect([500, 504, 'TEMPORARILY_UNAVAILABLE']).toContain(outcome);
      expect((await ask('runs/search', { experiment_ids: [experimentId] })).json.runs).toHaveLength(1);
    },
  );

  it('of a run that cannot be there creates it', async () => {
    const experimentId = await newExperiment();
    standIn.failNext({ status: 429, only: ({ path }) => path.endsWith('runs/create') });
    await newRun(experimentId);
    expect((await ask('runs/search', { experiment_ids: [experimentId] })).json.runs).toHaveLength(1);
  });
});

it('a workspace is asked as if it were MLflow', async () => {
  const mlflow = createMlflowRequester(client);
  const send = async (path: string, body?: object) => {
    const headers = { 'content-type': 'application/json' };
    const request = body
      ? { method: 'POST', path: `${API}/${path}`, headers, body: JSON.stringify(body) }
      : { method: 'GET', path: `${API}/${path}` };
    const answer = await mlflow.request(request);
    expect(answer.status).toBe(200);
    return JSON.parse(answer.body.toString());
  };
  await expect(send('experiments/create', { name: 'a/b' })).rejects.toMatchObject({ code: 'INVALID_PARAMETER_VALUE' });
  const { run } = await send('runs/create', { experiment_id: await newExperiment(), start_time: NOW });
  const run_id = run.info.run_id;
  const metrics = Array.from({ length: 600 }, (_, step) => ({ key: 'm', value: 1, timestamp: NOW + step, step }));
  expect(await send('runs/log-batch', { run_id, metrics })).toEqual({});
  const history = await send(`metrics/get-history?run_id=${run_id}&metric_key=m&max_results=25000`);
  expect(history).toEqual({ metrics });
  expect((await send(`runs/get?run_id=${run_id}`)).run.info.start_time).toBe(NOW);
});
