import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { MAPPING_VERSION } from '../../adapters/elasticsearch/mapping.ts';
import type { BreakerStatus } from '../../src/faults/breaker.ts';
import type { FeedStatus } from '../../src/indexing/index-feed.ts';
import { createRun } from '../fixtures/create-run.ts';
import { type OpenGateway, openGateway } from '../fixtures/open-gateway.ts';
import { postJson } from '../fixtures/post-json.ts';
import { createExperiments, post } from '../fuzz/load-runs.ts';
import { type Elasticsearch, startElasticsearch } from '../services/elasticsearch.ts';

const API = '/api/2.0/mlflow';
const INDEX = 'faults';
const TIMEOUT_MS = 2_000;
const OFF = { quickEveryMs: 0, openEveryMs: 0, recentEveryMs: 0, fullEveryMs: 0 };
const mlflow = inject('mlflowUrl');

let elasticsearch: Elasticsearch;
let gateway: OpenGateway;
let data: string;

beforeAll(async () => {
  data = await mkdtemp(join(tmpdir(), 'elasticsearch-faults-'));
  // As small as many proxies in front of one have it.
  elasticsearch = await startElasticsearch({ heapMb: 512, settings: { 'http.max_content_length': '1mb' } });
  gateway = await open();
});

afterAll(async () => {
  await gateway?.close();
  await elasticsearch?.stop();
  await rm(data, { recursive: true });
});

const open = () =>
  openGateway({
    upstream: { url: mlflow },
    data: { dir: data },
    index: { store: 'elasticsearch' },
    elasticsearch: { url: elasticsearch.url, index: INDEX, timeoutMs: TIMEOUT_MS },
    feed: { reconcile: OFF },
  });

/** Changes a setting of the index or of the cluster. */
async function put(path: string, settings: object): Promise<void> {
  const answer = await fetch(`${elasticsearch.url}/${path}`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(settings),
  });
  if (!answer.ok) throw new Error(await answer.text());
}

let searches = 0;
/** A search of its own each time, so that no cache answers; all of them find the same. */
async function search(base: string, experimentId: string) {
  const filter = `start_time < ${1e12 + ++searches}`;
  const answer = await postJson(`${base}${API}/runs/search`, { experiment_ids: [experimentId], filter });
  expect(answer.status).toBe(200);
  return { source: answer.headers.get('x-gateway-source'), body: await answer.json() };
}

/** The index answers, as MLflow does. */
async function untilIndexed(...experimentIds: readonly string[]): Promise<void> {
  for (const id of experimentIds) {
    await expect.poll(async () => (await search(gateway.url, id)).source, { timeout: 60_000 }).toBe('index');
    expect((await search(gateway.url, id)).body).toEqual((await search(mlflow, id)).body);
  }
}

async function expectFromBackend(experimentId: string): Promise<void> {
  expect(await search(gateway.url, experimentId)).toEqual({
    source: 'backend',
    body: (await search(mlflow, experimentId)).body,
  });
}

async function status() {
  const answer = await fetch(`${gateway.url}/gateway/status`);
  return (await answer.json()) as { index: FeedStatus; breakers: Record<string, BreakerStatus> };
}

/** Two experiments with a run each, in the index. */
async function twoExperiments(label: string) {
  const [written = '', quiet = ''] = await createExperiments(gateway.url, 2, label);
  const runId = await createRun(gateway.url, { experiment_id: written, start_time: 1 });
  await createRun(gateway.url, { experiment_id: quiet, start_time: 1 });
  await untilIndexed(written, quiet);
  return { written, quiet, runId };
}

const setTag = (runId: string, value: string) => post(gateway.url, 'runs/set-tag', { run_id: runId, key: 't', value });

/** Until nothing can be written; what blocks it ends with the result. */
const BLOCKS: Readonly<Record<string, () => Promise<() => Promise<void>>>> = {
  ...Object.fromEntries(
    ['read_only_allow_delete', 'read_only', 'write'].map((name) => [
      `the block ${name}`,
      async () => {
        const block = (on: boolean | null) =>
          put(`${INDEX}-v${MAPPING_VERSION}/_settings`, { [`index.blocks.${name}`]: on });
        await block(true);
        return () => block(null);
      },
    ]),
  ),
  'a disk beyond the flood-stage watermark': async () => {
    const disk = (low: string, high: string, flood_stage: string) =>
      put('_cluster/settings', {
        persistent: {
          'cluster.info.update.interval': '10s',
          'cluster.routing.allocation.disk': { threshold_enabled: true, watermark: { low, high, flood_stage } },
        },
      });
    const isBlocked = async () => {
      const answer = await fetch(`${elasticsearch.url}/${INDEX}-v${MAPPING_VERSION}/_settings?flat_settings`);
      return (await answer.text()).includes('read_only_allow_delete');
    };
    await disk('1003tb', '1002tb', '1001tb');
    await expect.poll(isBlocked, { timeout: 60_000 }).toBe(true);
    return async () => {
      await disk('3b', '2b', '1b');
      await expect.poll(isBlocked, { timeout: 60_000 }).toBe(false);
    };
  },
};

describe.each(Object.entries(BLOCKS))('an Elasticsearch that takes no writes: %s', (name, block) => {
  it('answers what it has, MLflow the rest; writes go on; it catches up by itself', async () => {
    const { written, quiet, runId } = await twoExperiments(name);
    const unblock = await block();
    try {
      await setTag(runId, 'blocked');
      const [born = ''] = await createExperiments(gateway.url, 1, `${name}, born`);
      await createRun(gateway.url, { experiment_id: born, start_time: 1 });
      for (let i = 0; i < 5; i++) {
        await expectFromBackend(written);
        await expectFromBackend(born);
        expect(await search(gateway.url, quiet)).toEqual({ source: 'index', body: (await search(mlflow, quiet)).body });
      }
      const { index, breakers } = await status();
      expect(index).toMatchObject({ dirtyRuns: 2, lastFailure: { message: expect.stringMatching(/cluster_block/) } });
      expect(breakers.elasticsearch?.state).toBe('closed');
      expect(gateway.log.join('')).toMatch(/cluster_block_exception.*the index is not up to date/);
      await unblock();
      await untilIndexed(written, born, quiet);
    } finally {
      await unblock();
    }
  });
});

describe('a run that Elasticsearch refuses', () => {
  const params = (count: number) =>
    Array.from({ length: count }, (_, i) => ({ key: `p${i}`, value: `${i}`.padEnd(6_000, 'x') }));

  /** Good runs, and one that is not, written while nothing can be, so that they come as one page. */
  async function writeTogether(label: string, good: object, bad: object) {
    const [experimentId = '', other = ''] = await createExperiments(gateway.url, 2, label);
    const ids: string[] = [];
    for (let i = 0; i < 6; i++) ids.push(await createRun(gateway.url, { experiment_id: experimentId, start_time: 1 }));
    const otherRun = await createRun(gateway.url, { experiment_id: other, start_time: 1 });
    await untilIndexed(experimentId, other);
    await put(`${INDEX}-v${MAPPING_VERSION}/_settings`, { 'index.blocks.write': true });
    for (const [i, run_id] of ids.entries())
      await post(gateway.url, 'runs/log-batch', { run_id, ...(i === 3 ? bad : good) });
    await post(gateway.url, 'runs/log-batch', { run_id: otherRun, ...good });
    await put(`${INDEX}-v${MAPPING_VERSION}/_settings`, { 'index.blocks.write': null });
    return { experimentId, other };
  }

  async function expectExcluded(experimentId: string, other: string): Promise<void> {
    await untilIndexed(other);
    await expect.poll(async () => (await status()).index.dirtyRuns, { timeout: 20_000 }).toBe(0);
    await expectFromBackend(experimentId);
    expect(gateway.log.join('')).toMatch(new RegExp(`"experimentId":"${experimentId}","reason":.*cannot hold a run`));
    await gateway.close();
    gateway = await open();
    await untilIndexed(other);
    await expectFromBackend(experimentId);
    const { breakers } = await status();
    expect(breakers.elasticsearch).toMatchObject({ state: 'closed', failures: 0 });
  }

  it('for its contents, among good ones: its experiment alone stays with MLflow, after a restart too', async () => {
    await put(`${INDEX}-v${MAPPING_VERSION}/_settings`, { 'index.mapping.nested_objects.limit': 3 });
    const metrics = Array.from({ length: 5 }, (_, i) => ({ key: `m${i}`, value: i, timestamp: 1, step: 0 }));
    const { experimentId, other } = await writeTogether('contents', { metrics: metrics.slice(3) }, { metrics });
    await expectExcluded(experimentId, other);
  });

  it('for its size, among good ones that are too large together: the same', async () => {
    const { experimentId, other } = await writeTogether('size', { params: params(12) }, { params: params(90) });
    await expectExcluded(experimentId, other);
  });

  it('does not hold up runs that are too large together', async () => {
    const { experimentId, other } = await writeTogether('sizes', { params: params(12) }, { params: params(12) });
    await untilIndexed(experimentId, other);
  });
});

describe('an Elasticsearch that hangs', () => {
  it('costs one search its patience, is shown as open, and is back by itself', async () => {
    const { written, quiet, runId } = await twoExperiments('hang');
    process.kill(-elasticsearch.pid, 'SIGSTOP');
    try {
      await setTag(runId, 'hanging');
      await expectFromBackend(written);
      await expectFromBackend(quiet);
      expect((await status()).breakers.elasticsearch?.state).not.toBe('closed');
      for (let i = 0; i < 20; i++) {
        const begun = performance.now();
        expect((await search(gateway.url, quiet)).source).toBe('backend');
        expect(performance.now() - begun).toBeLessThan(TIMEOUT_MS);
      }
      const metrics = await (await fetch(`${gateway.url}/gateway/metrics`)).text();
      expect(metrics).toMatch(/gateway_breaker_state\{dependency="elasticsearch"\} [12]/);
      expect(gateway.log.join('')).toMatch(/"dependency":"elasticsearch","state":"open"/);
    } finally {
      process.kill(-elasticsearch.pid, 'SIGCONT');
    }
    await untilIndexed(written, quiet);
    expect(gateway.log.join('')).toMatch(/"dependency":"elasticsearch","state":"closed"/);
  });
});

describe('an Elasticsearch that is killed', () => {
  it('leaves everything to MLflow, and is filled anew when it comes back empty', async () => {
    const { written, quiet, runId } = await twoExperiments('killed');
    const { epoch } = (await status()).index;
    process.kill(-elasticsearch.pid, 'SIGKILL');
    await elasticsearch.stop();
    await setTag(runId, 'killed');
    for (let i = 0; i < 5; i++) {
      await expectFromBackend(written);
      await expectFromBackend(quiet);
    }
    expect((await status()).index).toMatchObject({ dirtyRuns: 1, lastFailure: { message: expect.anything() } });
    elasticsearch = await startElasticsearch({ heapMb: 512, port: Number(new URL(elasticsearch.url).port) });
    await untilIndexed(written, quiet);
    const { index, breakers } = await status();
    expect(index.epoch).toBeGreaterThan(epoch ?? Number.POSITIVE_INFINITY);
    expect(breakers.elasticsearch?.state).toBe('closed');
  });
});
