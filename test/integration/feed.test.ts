import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { createRunReader } from '../../adapters/mlflow/index.ts';
import { splitRuns } from '../../src/domain/run-text.ts';
import { backfillCommand } from '../../src/indexing/backfill-command.ts';
import { IndexFeed } from '../../src/indexing/index-feed.ts';
import { RunDirectory } from '../../src/plan/run-directory.ts';
import type { RunReader } from '../../src/plan/run-reader.ts';
import type { RunsIndex } from '../../src/plan/runs-index.ts';
import { NO_EFFECT, type WriteEffect } from '../../src/plan/write-effect.ts';
import { UpstreamClient } from '../../src/upstream/upstream-client.ts';
import { createRun } from '../fixtures/create-run.ts';
import { elasticsearchOptions, newElasticsearchPlace } from '../fixtures/elasticsearch-place.ts';
import type { IndexPlace } from '../fixtures/index-place.ts';
import { openGateway } from '../fixtures/open-gateway.ts';
import { postJson } from '../fixtures/post-json.ts';
import { runQuery } from '../fixtures/run-query.ts';
import { textsOf } from '../fixtures/run-reference.ts';
import { newSqlitePlace } from '../fixtures/sqlite-place.ts';
import { createExperiments, loadRun, post } from '../fuzz/load-runs.ts';
import { makeRuns } from '../fuzz/make-runs.ts';
import { Random } from '../fuzz/random.ts';

const mlflow = inject('mlflowUrl');
const { signal } = new AbortController();
const LOGGING_SECONDS = Number(process.env.LOGGING_SECONDS ?? 3);

describe.each([
  ['Elasticsearch', async () => newElasticsearchPlace(elasticsearchOptions(inject('elasticsearchUrl')))],
  ['SQLite', newSqlitePlace],
])('the index in %s, filled from a real MLflow', (name, newPlace) => {
  const random = new Random(7);
  const directory = new RunDirectory();
  const client = new UpstreamClient({ url: mlflow, timeoutMs: 60_000, connections: 8 });
  let readings = 0;
  const uncounted = createRunReader(client, { pageSize: 10 });
  const reader: RunReader = {
    ...uncounted,
    readRuns(...args) {
      readings++;
      return uncounted.readRuns(...args);
    },
  };
  const openFeed = () => new IndexFeed({ index, reader, directory }, { readyMs: 10_000, retryMs: 200 });
  const runIds: string[] = [];
  let place: IndexPlace;
  let index: RunsIndex;
  let feed: IndexFeed;
  let experimentIds: string[];

  beforeAll(async () => {
    place = await newPlace();
    index = place.connect();
    experimentIds = await createExperiments(mlflow, 3, `feed-${name}`);
    for (const plan of makeRuns(random, 45, 3)) runIds.push(await loadRun(mlflow, plan, experimentIds));
    feed = openFeed();
    feed.start();
  });

  afterAll(async () => {
    await feed.stop();
    await place.leave();
    await client.close();
  });

  /** A write as the gateway carries it out. */
  async function write(path: string, body: object, effect: Partial<WriteEffect>): Promise<void> {
    await post(mlflow, path, body);
    await feed.apply({ ...NO_EFFECT, ...effect });
  }

  const untilReady = (ids: readonly string[]) =>
    expect.poll(() => feed.ready(ids, signal), { timeout: 60_000, interval: 100 }).toBe(true);

  async function inIndex(ids: readonly string[]): Promise<readonly string[]> {
    const scan = index.pushDown(runQuery({ experimentIds: ids }));
    return textsOf(await scan.fetch({ limit: 1_000, from: { offset: 0 } }, signal));
  }

  async function inBackend(ids: readonly string[]): Promise<readonly string[]> {
    const body = { experiment_ids: ids, run_view_type: 'ALL', max_results: 1_000 };
    const answer = await postJson(`${mlflow}/api/2.0/mlflow/runs/search`, body);
    return splitRuns(await answer.text()).runs;
  }

  /** To the letter, and in order. */
  async function expectEqual(ids: readonly string[]): Promise<void> {
    expect(await inIndex(ids)).toEqual(await inBackend(ids));
  }

  it('holds all that was there before', async () => {
    await untilReady(experimentIds);
    expect(await inIndex(experimentIds)).toHaveLength(45);
    await expectEqual(experimentIds);
    for (const id of runIds) expect(experimentIds).toContain(directory.experimentOf(id));
  });

  it('shows each write to the client that made it, and ends equal to the backend', async () => {
    let created = 0;
    const changeRun = async (mark: string) => {
      const runId = random.pick(runIds);
      const kind = random.int(0, 3);
      const tag = { run_id: runId, key: 'mark', value: mark };
      await write('runs/restore', { run_id: runId }, { runs: [{ runId }] });
      await write('runs/set-tag', tag, { runs: [{ runId }] }).catch(() => undefined);
      if (kind === 0) await write('runs/delete', { run_id: runId }, { runs: [{ runId }] });
    };
    const addRun = async (mark: string) => {
      const experimentId = random.pick(experimentIds);
      const body = {
        experiment_id: experimentId,
        start_time: random.int(0, 5_000),
        tags: [{ key: 'mark', value: mark }],
      };
      const runId = await createRun(mlflow, body);
      await feed.apply({ ...NO_EFFECT, runs: [{ runId, experimentId }] });
      created++;
      if (await feed.ready([experimentId], signal))
        expect((await inIndex([experimentId])).join()).toContain(`"${mark}"`);
      runIds.push(runId);
    };
    const client = async (number: number) => {
      for (let i = 0; i < 15; i++) await (random.chance(0.5) ? changeRun : addRun)(`mark-${number}-${i}`);
    };
    await Promise.all([1, 2, 3].map(client));
    await untilReady(experimentIds);
    await expectEqual(experimentIds);
    expect(created).toBeGreaterThan(10);
  });

  it(
    'costs the server a reading a second for a run that never stops logging',
    async () => {
      const runId = await createRun(mlflow, { experiment_id: experimentIds[0] });
      const [begun, before] = [performance.now(), readings];
      for (let step = 0; performance.now() < begun + 1_000 * LOGGING_SECONDS; step++) {
        const metric = { run_id: runId, key: 'hot', value: step, timestamp: step, step };
        await write('runs/log-metric', metric, { runs: [{ runId }] });
      }
      await untilReady(experimentIds);
      // And the first, and the one that the search asked for.
      expect(readings - before).toBeLessThanOrEqual(2 + (performance.now() - begun) / 1_000);
      await expectEqual(experimentIds);
    },
    240_000 + 1_000 * LOGGING_SECONDS,
  );

  it('follows an experiment that is deleted and restored', async () => {
    const [experimentId = ''] = experimentIds;
    for (const path of ['experiments/delete', 'experiments/restore']) {
      await write(path, { experiment_id: experimentId }, { experimentsWithChangedRuns: [experimentId] });
      expect(await feed.ready([experimentId], signal)).toBe(false);
      await untilReady([experimentId]);
      await expectEqual([experimentId]);
    }
  });

  it('holds a new experiment from its birth', async () => {
    const [experimentId = ''] = await createExperiments(mlflow, 1, `born-${name}`);
    await feed.apply({ ...NO_EFFECT, createdExperiments: [experimentId] });
    await untilReady([experimentId]);
    expect(await inIndex([experimentId])).toEqual([]);
  });

  it('is filled by the command too, while the feed goes on', async () => {
    let text = '';
    const output = new Writable({
      write(chunk, _encoding, done) {
        text += chunk;
        done();
      },
    });
    expect(await backfillCommand({ index, reader, output, signal, experimentIds })).toBe(0);
    expect(text).toMatch(/^3 of 3 experiments/);
    await untilReady(experimentIds);
    await expectEqual(experimentIds);
  });

  // Nobody deletes a file that is open.
  it.runIf(name === 'Elasticsearch')('is filled anew after it was deleted', async () => {
    await place.remove();
    await expect.poll(() => feed.ready(experimentIds, signal), { timeout: 30_000 }).toBe(false);
    await untilReady(experimentIds);
    await expectEqual(experimentIds);
  });

  it('is left to the gateway that started last', async () => {
    const first = feed;
    feed = openFeed();
    feed.start();
    await untilReady(experimentIds);
    await expectEqual(experimentIds);
    await expect
      .poll(async () => [await first.ready(experimentIds, signal), first.status().superseded], { timeout: 20_000 })
      .toEqual([false, true]);
    await first.stop();
    expect(await feed.ready(experimentIds, signal)).toBe(true);
  });
});

it('an end at 0, which the JSON of a run does not tell, is found by the next search', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'gateway-'));
  const gateway = await openGateway({ upstream: { url: mlflow }, data: { dir }, index: { store: 'sqlite' } });
  try {
    const [experimentId = ''] = await createExperiments(mlflow, 1, 'end-at-0');
    const runId = await createRun(gateway.url, { experiment_id: experimentId });
    const search = (filter: string) =>
      postJson(`${gateway.url}/api/2.0/mlflow/runs/search`, { experiment_ids: [experimentId], filter });
    const source = async () => (await search(`tags.t != '${randomUUID()}'`)).headers.get('x-gateway-source');
    await expect.poll(source, { timeout: 60_000 }).toBe('index');
    const ended = async () => splitRuns(await (await search('attributes.end_time = 0')).text()).runs.length;
    expect(await ended()).toBe(0);
    await post(gateway.url, 'runs/update', { run_id: runId, end_time: 0 });
    expect(await ended()).toBe(1);
    await post(gateway.url, 'runs/set-tag', { run_id: runId, key: 'later', value: 'yes' });
    expect(await ended()).toBe(1);
  } finally {
    await gateway.close();
    await rm(dir, { recursive: true });
  }
});
