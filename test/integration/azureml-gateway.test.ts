import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import { splitRuns } from '../../src/domain/run-text.ts';
import { toExperimentGuid, toRunGuid } from '../azureml-stand-in/ids.ts';
import { withDefaults } from '../azureml-stand-in/rules.ts';
import { type AzureMlStandIn, startAzureMlStandIn } from '../azureml-stand-in/start-azure-ml-stand-in.ts';
import { type GatewayProcess, startGateway } from '../fixtures/gateway-process.ts';
import { type LoadedCases, loadCases } from '../fixtures/load-cases.ts';
import { postJson } from '../fixtures/post-json.ts';
import { ACCIDENTAL, type SearchCase, searchCases, withRunIds } from '../fixtures/search-cases.ts';

const API = '/api/2.0/mlflow';
const mlflow = inject('mlflowUrl');
let standIn: AzureMlStandIn;
let gateway: GatewayProcess;
let loaded: LoadedCases;

const environment = () => ({
  GATEWAY_UPSTREAM_AZURE_CLOUD: 'public',
  GATEWAY_UPSTREAM_AZURE_CREDENTIAL: 'token',
  GATEWAY_UPSTREAM_TOKEN_ENV: 'AZURE_TOKEN',
  AZURE_TOKEN: standIn.issueToken({ displayName: 'The Gateway' }),
  GATEWAY_UPSTREAM_CA_FILE: standIn.caFile,
  GATEWAY_AUTH_MODE: 'none',
  GATEWAY_ACCESS_READ: 'anyone',
  GATEWAY_ACCESS_WRITE: 'anyone',
});

beforeAll(async () => {
  loaded = await loadCases(mlflow, searchCases.dataset);
  standIn = await startAzureMlStandIn({ upstream: mlflow });
  gateway = await startGateway(['--upstream', standIn.trackingUri], environment());
});

beforeEach(() => standIn.change(withDefaults()));

afterAll(async () => {
  await gateway?.stop();
  await standIn?.stop();
});

interface Got {
  readonly status: number;
  readonly cache: string | null;
  readonly text: string;
  // biome-ignore lint/suspicious/noExplicitAny: whatever JSON there is
  readonly json: any;
}

async function gotten(answer: Response): Promise<Got> {
  const text = await answer.text();
  const json = text.startsWith('{') ? JSON.parse(text) : undefined;
  return { status: answer.status, cache: answer.headers.get('x-cache'), text, json };
}

const post = async (path: string, body: object, base = gateway.url) =>
  gotten(await postJson(`${base}${API}/${path}`, body));
const get = async (path: string) => gotten(await fetch(`${gateway.url}${API}/${path}`));

let made = 0;
async function newExperiment(): Promise<string> {
  const name = `azure-gateway-${process.pid}-${Date.now()}-${made++}`;
  return (await post('experiments/create', { name })).json.experiment_id;
}

async function newRun(experimentId: string, more: object = {}): Promise<string> {
  const asked = { experiment_id: experimentId, start_time: 1_700_000_000_000 + made++, ...more };
  return (await post('runs/create', asked)).json.run.info.run_id;
}

describe('searches before Azure Machine Learning', () => {
  // What Azure has otherwise by its nature: names as tags, display names for users, artifacts of its own, no datasets.
  const OWN = /user_id|run.?name|artifact_uri|dataset|mlflow\./i;
  const cases = searchCases.cases.filter(
    ({ name, expect, filter = '', order_by = [], page_token, max_results, run_view_type: view }) =>
      expect === 'ok' &&
      (view === undefined || ['ACTIVE_ONLY', 'DELETED_ONLY', 'ALL'].includes(view)) &&
      !Object.hasOwn(ACCIDENTAL, name) &&
      !OWN.test([filter, ...order_by].join(' ')) &&
      page_token === undefined &&
      max_results === undefined,
  );

  const bodyOf = (
    { experiments = ['main'], filter, order_by, run_view_type }: SearchCase,
    toExperiment: (id: string) => string,
    toRun: (id: string) => string,
  ) => ({
    experiment_ids: experiments.map((label) => toExperiment(loaded.experimentIdOf.get(label) ?? label)),
    filter: withRunIds(filter ?? '', (name) => toRun(loaded.runIdOf.get(name) ?? name)),
    order_by,
    run_view_type,
  });
  const as = (id: string) => id;
  const idsOf = ({ json }: Got) => (json.runs ?? []).map((run: { info: { run_id: string } }) => run.info.run_id);

  it('are many', () => expect(cases.length).toBeGreaterThan(150));

  it.each(cases.map((one): [string, SearchCase] => [one.name, one]))('%s: as MLflow', async (_name, one) => {
    const expected = await post('runs/search', bodyOf(one, as, as), mlflow);
    const answer = await post('runs/search', bodyOf(one, toExperimentGuid, toRunGuid));
    expect([answer.status, idsOf(answer)]).toEqual([expected.status, idsOf(expected).map(toRunGuid)]);
    expect(answer.cache).not.toBe('BYPASS');
  });

  it('give their pages one after the other', async () => {
    const experiment = await newExperiment();
    const ids: string[] = [];
    for (let i = 0; i < 7; i++) ids.push(await newRun(experiment, { tags: [{ key: 'n', value: `${i % 3}` }] }));
    const search = { experiment_ids: [experiment], order_by: ['tags.n ASC'], max_results: 2 };
    const pages: string[][] = [];
    let token: string | undefined;
    do {
      const { json }: Got = await post('runs/search', { ...search, ...(token && { page_token: token }) });
      pages.push(json.runs.map((run: { info: { run_id: string } }) => run.info.run_id));
      token = json.next_page_token;
    } while (token);
    const order = [6, 3, 0, 4, 1, 5, 2].map((i) => ids[i]);
    expect(pages).toEqual([order.slice(0, 2), order.slice(2, 4), order.slice(4, 6), order.slice(6)]);
  });

  it('of the default experiment by its short id find what was written under its GUID', async () => {
    const runId = await newRun('0', { tags: [{ key: 'mine', value: 'before' }] });
    const search = { experiment_ids: ['0'], filter: `attributes.run_id = '${runId}'` };
    expect((await post('runs/search', search)).text).toContain('before');
    await post('runs/set-tag', { run_id: runId, key: 'mine', value: 'after' });
    expect((await post('runs/search', search)).text).toContain('after');
  });

  it('in words that only Azure knows are left to it', async () => {
    const experiment = await newExperiment();
    await newRun(experiment);
    const answer = await post('runs/search', {
      experiment_ids: [experiment],
      filter: "attributes.creation_time > '1'",
      order_by: ['attributes.start_time DESC'],
    });
    expect([answer.status, answer.cache, answer.json.runs?.length]).toEqual([200, 'BYPASS', 1]);
  });

  it('for experiments are answered as MLflow does', async () => {
    const prefix = `listed-${process.pid}-${Date.now()}`;
    for (const [i, name] of ['b', 'a', 'c'].entries()) {
      const { json } = await post('experiments/create', { name: `${prefix}-${name}` });
      await post('experiments/set-experiment-tag', { experiment_id: json.experiment_id, key: 'rank', value: `${i}` });
    }
    const search = {
      filter: `name LIKE '${prefix}%' AND tags.rank != '0'`,
      order_by: ['name DESC'],
      max_results: 1,
    };
    const first = await post('experiments/search', search);
    expect(first.json.experiments.map(({ name }: { name: string }) => name)).toEqual([`${prefix}-c`]);
    const second = await post('experiments/search', { ...search, page_token: first.json.next_page_token });
    expect(second.json.experiments.map(({ name }: { name: string }) => name)).toEqual([`${prefix}-a`]);
    expect(second.json.next_page_token).toBeUndefined();
  });
});

describe('a search beyond its budget', () => {
  it('is refused with the backend, the term and what to change, and is not asked of Azure again', async () => {
    const small = await startGateway(['--upstream', standIn.trackingUri], {
      ...environment(),
      GATEWAY_SEARCH_BUDGET_MAX_RUNS: '3',
    });
    try {
      const experiment = await newExperiment();
      for (let i = 0; i < 5; i++) await newRun(experiment);
      const before = standIn.requests.length;
      const search = { experiment_ids: [experiment], order_by: ['metrics.m DESC'], max_results: 1 };
      const answer = await post('runs/search', search, small.url);
      expect(answer.status).toBe(400);
      expect(answer.json).toMatchObject({
        error_code: 'INVALID_PARAMETER_VALUE',
        message: expect.stringMatching(
          /more than 3 runs.*'azureml' cannot order by metric\.m.*search\.budget\.maxRuns/s,
        ),
      });
      expect(standIn.requests.slice(before).filter(({ path }) => path.includes('runs/search'))).toHaveLength(1);
    } finally {
      await small.stop();
    }
  });
});

describe('writes before Azure Machine Learning', () => {
  it('are seen by the next read, which the cache answers from then on', async () => {
    const experiment = await newExperiment();
    const runId = await newRun(experiment);
    const search = { experiment_ids: [experiment], filter: "tags.stage LIKE '%e%'" };
    for (const value of ['one', 'three']) {
      await post('runs/set-tag', { run_id: runId, key: 'stage', value });
      const [missed, hit] = [await post('runs/search', search), await post('runs/search', search)];
      expect([missed.cache, hit.cache]).toEqual(['MISS', 'HIT']);
      expect(splitRuns(missed.text).runs).toEqual([expect.stringContaining(`"value":"${value}"`)]);
      expect(hit.text).toBe(missed.text);
      expect((await get(`runs/get?run_id=${runId}`)).text).toContain(`"value":"${value}"`);
    }
  });

  it('of one batch may be larger than Azure takes, and histories are read whole', async () => {
    const runId = await newRun(await newExperiment());
    const metrics = Array.from({ length: 900 }, (_, step) => ({ key: 'loss', value: step / 8, timestamp: step, step }));
    expect((await post('runs/log-batch', { run_id: runId, metrics })).status).toBe(200);
    const { json } = await get(`metrics/get-history?run_id=${runId}&metric_key=loss&max_results=25000`);
    expect(json.metrics.map(({ step }: { step: number }) => step)).toEqual(metrics.map(({ step }) => step));
  });

  it('keep the tags of the source of a run, which Azure drops', async () => {
    const tags = ['name', 'type', 'other'].map((word) => ({ key: `mlflow.source.${word}`, value: `of ${word}` }));
    const created = await post('runs/create', { experiment_id: await newExperiment(), start_time: 1, tags });
    const { run_id: runId } = created.json.run.info;
    const read = await get(`runs/get?run_id=${runId}`);
    for (const { json } of [created, read]) expect(json.run.data.tags).toEqual(expect.arrayContaining(tags));
  });

  it('with a name that Azure would lose are refused', async () => {
    expect(await post('experiments/create', { name: 'a/b' })).toMatchObject({
      status: 400,
      json: { error_code: 'INVALID_PARAMETER_VALUE', message: expect.stringContaining('slash') },
    });
  });
});

describe('what a workspace has not', () => {
  it.each([
    ['GET', '/'],
    ['GET', `${API}/logged-models/m-1`],
    ['POST', '/api/3.0/mlflow/traces/search'],
    ['GET', `/ajax-api/2.0/mlflow/metrics/get-history-bulk-interval?run_ids=a&metric_key=m&max_results=5`],
  ])("%s %s is not found, in MLflow's words", async (method, path) => {
    const answer = await gotten(await fetch(`${gateway.url}${path}`, { method }));
    expect([answer.status, answer.json?.error_code]).toEqual([404, 'ENDPOINT_NOT_FOUND']);
  });

  it('the prompts that clients leave out of model searches are not asked for', async () => {
    const filter = "name = 'none' AND tag.`mlflow.prompt.is_prompt` != 'true'";
    const answer = await get(`registered-models/search?${new URLSearchParams({ filter, max_results: '5' })}`);
    expect([answer.status, answer.json]).toEqual([200, {}]);
  });
});

describe('Azure Machine Learning', () => {
  it('that is busy is asked again, and a caller sees nothing of it', async () => {
    const runId = await newRun(await newExperiment());
    standIn.failNext({ status: 429, retryAfter: 1 });
    expect((await get(`runs/get?run_id=${runId}`)).status).toBe(200);
  });

  it("that is away is an error in MLflow's shape, and the gateway says that it is not ready", async () => {
    const other = await startAzureMlStandIn({ upstream: mlflow });
    const alone = await startGateway(['--upstream', other.trackingUri], {
      ...environment(),
      AZURE_TOKEN: other.issueToken(),
      GATEWAY_UPSTREAM_CA_FILE: other.caFile,
    });
    try {
      await other.stop();
      const answer = await gotten(await fetch(`${alone.url}${API}/runs/get?run_id=a`));
      expect([answer.status, answer.json?.error_code]).toEqual([503, 'TEMPORARILY_UNAVAILABLE']);
      expect((await fetch(`${alone.url}/gateway/readyz`)).status).toBe(503);
    } finally {
      await alone.stop();
    }
  }, 120_000);
});
