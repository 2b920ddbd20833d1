import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { splitRuns } from '../../src/domain/run-text.ts';
import { createRun } from '../fixtures/create-run.ts';
import { elasticsearchOptions } from '../fixtures/elasticsearch-place.ts';
import { type OpenGateway, openGateway } from '../fixtures/open-gateway.ts';
import { postJson } from '../fixtures/post-json.ts';
import { createExperiments, post } from '../fuzz/load-runs.ts';
import type { Service } from '../services/launch.ts';
import { installMlflow, startMlflow } from '../services/mlflow.ts';

const RECONCILE = { quickEveryMs: 300, openEveryMs: 300, recentEveryMs: 500, fullEveryMs: 1_000, share: 1 };
/** A step of a test shall be seen by its pass alone. */
const OFF = { quickEveryMs: 0, openEveryMs: 0, recentEveryMs: 0, fullEveryMs: 0, share: 1 };
const LONG_AGO = 1_600_000_000_000;

/** An MLflow of the test's own: `mlflow gc` takes everything that is deleted. */
let folder: string;
let store: string;
let mlflow: Service;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'reconcile-'));
  store = `sqlite:///${join(folder, 'mlflow.db')}`;
  mlflow = await startMlflow({ backendStoreUri: store });
});

afterAll(async () => {
  await mlflow?.stop();
  await rm(folder, { recursive: true });
});

/** For real, in a process of its own beside the server. */
async function collectGarbage(...args: readonly string[]): Promise<void> {
  const env = { ...process.env, MLFLOW_TRACKING_URI: mlflow.url };
  await promisify(execFile)(await installMlflow(), ['-m', 'mlflow', 'gc', '--backend-store-uri', store, ...args], {
    env,
  });
}

describe.each(['elasticsearch', 'sqlite'] as const)('writes past a gateway with its index in %s', (kind) => {
  let gateway: OpenGateway;
  let data: string;
  let experimentIds: string[];
  let runIds: string[];

  async function open(reconcile: Partial<typeof RECONCILE>): Promise<void> {
    data = await mkdtemp(join(tmpdir(), 'gateway-'));
    gateway = await openGateway({
      upstream: { url: mlflow.url },
      data: { dir: data },
      index: { store: kind },
      elasticsearch: elasticsearchOptions(inject('elasticsearchUrl')),
      cache: { ttlSeconds: 3_600 },
      feed: { readyTimeoutMs: 30_000, reconcile: { ...RECONCILE, ...OFF, ...reconcile } },
      log: { level: 'info' },
    });
    await untilIndexed(experimentIds);
  }

  async function close(): Promise<void> {
    await gateway.close();
    await rm(data, { recursive: true });
  }

  async function withGateway(reconcile: Partial<typeof RECONCILE>, steps: () => Promise<void>): Promise<void> {
    await open(reconcile);
    try {
      await steps();
    } finally {
      await close();
    }
  }

  const body = (ids: readonly string[]) => ({ experiment_ids: ids, run_view_type: 'ALL', max_results: 1_000 });

  /** Through the gateway and its cache, which keeps answers for an hour. */
  async function search(ids: readonly string[]): Promise<readonly string[]> {
    const answer = await postJson(`${gateway.url}/api/2.0/mlflow/runs/search`, body(ids));
    return splitRuns(await answer.text()).runs;
  }

  /** Until the index answers when the cache does not. */
  async function untilIndexed(ids: readonly string[]): Promise<void> {
    // A filter of its own each time, so that no cache answers.
    const source = async () => {
      const search = { ...body(ids), max_results: 1, filter: `start_time > ${Date.now()}` };
      const answer = await postJson(`${gateway.url}/api/2.0/mlflow/runs/search`, search);
      await answer.text();
      return answer.headers.get('x-gateway-source');
    };
    await expect.poll(source, { timeout: 60_000, interval: 100 }).toBe('index');
  }

  async function inBackend(ids: readonly string[]): Promise<readonly string[]> {
    return splitRuns(await (await postJson(`${mlflow.url}/api/2.0/mlflow/runs/search`, body(ids))).text()).runs;
  }

  /** Until the index answers what MLflow does. */
  async function untilSeen(ids: readonly string[] = experimentIds): Promise<void> {
    const runs = await inBackend(ids);
    await expect.poll(() => search(ids), { timeout: 60_000, interval: 100 }).toEqual(runs);
    await untilIndexed(ids);
  }

  async function status(): Promise<{ drift: Record<string, number>; passes: Record<string, { at: string }> }> {
    const answer = await fetch(`${gateway.url}/gateway/status`);
    return ((await answer.json()) as { index: { reconcile: never } }).index.reconcile;
  }

  const isLogged = (...parts: string[]) => gateway.log.some((line) => parts.every((part) => line.includes(part)));

  const write = (path: string, change: object) => post(mlflow.url, path, change);

  beforeAll(async () => {
    experimentIds = await createExperiments(mlflow.url, 2, `reconcile-${kind}`);
    runIds = [];
    for (let i = 0; i < 12; i++) {
      const start = { experiment_id: experimentIds[i % 2], start_time: LONG_AGO + i };
      const runId = await createRun(mlflow.url, start);
      await write('runs/update', { run_id: runId, status: 'FINISHED', end_time: LONG_AGO + 100 });
      runIds.push(runId);
    }
  });

  it('are seen by the quick pass and the open one: runs created, changed and ended; experiments created, deleted and restored', async () => {
    await withGateway({ quickEveryMs: 300, openEveryMs: 300 }, async () => {
      const [experimentId = ''] = experimentIds;
      const runId = await createRun(mlflow.url, { experiment_id: experimentId, start_time: LONG_AGO });
      await untilSeen();
      await write('runs/log-metric', { run_id: runId, key: 'loss', value: 0.5, timestamp: 1 });
      await untilSeen();
      await write('runs/update', { run_id: runId, status: 'FINISHED', end_time: LONG_AGO });
      await untilSeen();
      expect((await status()).drift).toEqual({ missing: 1, changed: 2, gone: 0 });
      for (const path of ['experiments/delete', 'experiments/restore']) {
        await write(path, { experiment_id: experimentId });
        await untilSeen();
      }
      const [created = ''] = await createExperiments(mlflow.url, 1, `reconcile-new-${kind}`);
      await createRun(mlflow.url, { experiment_id: created, start_time: LONG_AGO });
      await untilSeen([created]);
      expect(isLogged('"pass":"open"', '"missing":1')).toBe(true);
      expect(isLogged('"pass":"quick"', '"experiments":1')).toBe(true);
      const metrics = await (await fetch(`${gateway.url}/gateway/metrics`)).text();
      expect(metrics).toContain('gateway_index_drift_runs_total{kind="changed"} 2');
    });
  });

  it('are seen by the quick pass alone when they started lately', async () => {
    await withGateway({ quickEveryMs: 300 }, async () => {
      const start = { experiment_id: experimentIds[0], start_time: Date.now() };
      const runId = await createRun(mlflow.url, start);
      await untilSeen();
      expect((await status()).drift).toEqual({ missing: 1, changed: 0, gone: 0 });
      await write('runs/update', { run_id: runId, status: 'KILLED', end_time: LONG_AGO });
      await untilSeen();
      expect((await status()).drift).toEqual({ missing: 1, changed: 1, gone: 0 });
      expect(isLogged('"pass":"quick"', '"missing":1')).toBe(true);
    });
  });

  it('are seen by the recent pass: runs that ended lately and were tagged, deleted or restored', async () => {
    const runId = await createRun(mlflow.url, { experiment_id: experimentIds[1], start_time: LONG_AGO });
    await write('runs/update', { run_id: runId, status: 'FINISHED', end_time: Date.now() - 600_000 });
    await withGateway({ recentEveryMs: 300 }, async () => {
      await write('runs/set-tag', { run_id: runId, key: 'late', value: 'yes' });
      await untilSeen();
      for (const path of ['runs/delete', 'runs/restore']) {
        await write(path, { run_id: runId });
        await untilSeen();
      }
      expect((await status()).drift).toEqual({ missing: 0, changed: 3, gone: 0 });
    });
  });

  it('are seen by the full compare: old runs that were edited, created, deleted, or removed by mlflow gc', async () => {
    const [edited = '', deleted = '', removed = '', another = ''] = runIds;
    await withGateway({ fullEveryMs: 500 }, async () => {
      await write('runs/set-tag', { run_id: edited, key: 'edited', value: 'yes' });
      await write('runs/delete', { run_id: deleted });
      await untilSeen();
      const created = await createRun(mlflow.url, { experiment_id: experimentIds[0], start_time: LONG_AGO + 5 });
      await write('runs/update', { run_id: created, status: 'FINISHED', end_time: LONG_AGO + 6 });
      await untilSeen();
      for (const id of [removed, another]) await write('runs/delete', { run_id: id });
      await untilSeen();
      const before = (await inBackend(experimentIds)).length;
      await collectGarbage('--run-ids', `${removed},${another}`);
      expect(await inBackend(experimentIds)).toHaveLength(before - 2);
      await untilSeen();
      expect((await status()).drift).toEqual({ missing: 1, changed: 4, gone: 2 });
    });
  });

  it('are seen by the quick pass when mlflow gc removes a whole experiment', async () => {
    // With the experiment goes every deleted run there is.
    await collectGarbage();
    const [victim = ''] = await createExperiments(mlflow.url, 1, `reconcile-gc-${kind}`);
    for (let i = 0; i < 3; i++) {
      const runId = await createRun(mlflow.url, { experiment_id: victim, start_time: LONG_AGO + i });
      // Of open runs the pass may read a page that MLflow puts together while they go: it asks its database several times.
      await write('runs/update', { run_id: runId, status: 'FINISHED', end_time: LONG_AGO + 100 });
    }
    await write('experiments/delete', { experiment_id: victim });
    await withGateway({ quickEveryMs: 300 }, async () => {
      await untilSeen([victim]);
      expect(await search([victim])).toHaveLength(3);
      await collectGarbage('--experiment-ids', victim);
      await untilSeen([victim]);
      expect(await search([victim])).toEqual([]);
      expect((await status()).drift).toEqual({ missing: 0, changed: 0, gone: 3 });
    });
  });

  it('leave nothing to find when every write passes the gateway', async () => {
    await withGateway(RECONCILE, async () => {
      for (let i = 0; i < 20; i++) {
        const runId = await createRun(gateway.url, { experiment_id: experimentIds[i % 2], start_time: Date.now() });
        await post(gateway.url, 'runs/log-metric', { run_id: runId, key: 'loss', value: i, timestamp: 1 });
        await post(gateway.url, 'runs/update', { run_id: runId, status: 'FINISHED', end_time: Date.now() });
        if (i % 3 === 0) await post(gateway.url, 'runs/delete', { run_id: runId });
      }
      const { at } = (await status()).passes.full ?? { at: '' };
      await expect.poll(async () => (await status()).passes.full?.at, { timeout: 60_000 }).not.toBe(at);
      await untilSeen();
      expect((await status()).drift).toEqual({ missing: 0, changed: 0, gone: 0 });
    });
  });
});
