import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { createElasticsearchIndex } from '../../adapters/elasticsearch/index.ts';
import { createMlflowAdapter, createRunReader } from '../../adapters/mlflow/index.ts';
import { createSqliteIndex } from '../../adapters/sqlite/index.ts';
import { splitRuns } from '../../src/domain/run-text.ts';
import type { IndexStatus } from '../../src/inspect/index-status.ts';
import { verify } from '../../src/inspect/verify.ts';
import type { VerifyReport } from '../../src/inspect/verify-report.ts';
import type { RunsIndex } from '../../src/plan/runs-index.ts';
import { UpstreamClient } from '../../src/upstream/upstream-client.ts';
import { createRun } from '../fixtures/create-run.ts';
import { fillIndex } from '../fixtures/fill-index.ts';
import { type GatewayProcess, startGateway, waitForIndex } from '../fixtures/gateway-process.ts';
import { postJson } from '../fixtures/post-json.ts';
import { runCommand } from '../fixtures/run-command.ts';
import { createExperiments, loadRun, post } from '../fuzz/load-runs.ts';
import { makeRuns } from '../fuzz/make-runs.ts';
import { Random } from '../fuzz/random.ts';

const mlflow = inject('mlflowUrl');
const elasticsearch = inject('elasticsearchUrl');
const random = new Random(11);
const RUNS = 60;

const INDEXES = {
  elasticsearch: ['--elasticsearch', elasticsearch],
  sqlite: [],
} as const;

const searchAll = async (url: string, experimentIds: readonly string[]) => {
  const body = { experiment_ids: experimentIds, run_view_type: 'ALL', max_results: 5_000 };
  return splitRuns(await (await postJson(`${url}/api/2.0/mlflow/runs/search`, body)).text()).runs;
};

describe.each(Object.entries(INDEXES))('the commands beside a gateway with %s', (name, args) => {
  const indexName = `verify-${process.pid}`;
  const env = {
    GATEWAY_INDEX_STORE: name,
    GATEWAY_CACHE_STORE: 'none',
    GATEWAY_ELASTICSEARCH_INDEX: indexName,
    GATEWAY_ELASTICSEARCH_TIMEOUT_MS: '60000',
  };
  let folder: string;
  let gateway: GatewayProcess;
  let experimentIds: string[];
  let index: RunsIndex;

  const flags = () => ['--upstream', mlflow, '--data-dir', folder, ...args];
  const only = (ids: readonly string[]) => ids.flatMap((id) => ['--experiment', id]);
  const command = (...words: string[]) => runCommand([...words, ...flags()], env);

  async function verified(...words: string[]): Promise<VerifyReport & { code: number | null }> {
    const { code, stdout, stderr } = await command('verify', '--json', ...only(experimentIds), ...words);
    if (stdout === '') throw new Error(stderr);
    return { code, ...(JSON.parse(stdout) as VerifyReport) };
  }

  async function openIndex(): Promise<RunsIndex> {
    const [file = ''] = (await readdir(folder)).filter((each) => /^index-\w+\.sqlite$/.test(each));
    const opened =
      name === 'sqlite'
        ? createSqliteIndex({ file: join(folder, file) })
        : createElasticsearchIndex({ url: elasticsearch, index: indexName, timeoutMs: 60_000 });
    await opened.prepare();
    return opened;
  }

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'verify-'));
    experimentIds = await createExperiments(mlflow, 3, `verify-${name}`);
    for (const plan of makeRuns(random, RUNS, 2)) await loadRun(mlflow, plan, experimentIds);
    gateway = await startGateway(flags(), env);
    await waitForIndex(gateway, experimentIds);
    index = await openIndex();
  });

  afterAll(async () => {
    await gateway.stop();
    await index.close();
    await rm(folder, { recursive: true });
  });

  it('index status says how far it is, and who keeps it up', async () => {
    const { port } = new URL(gateway.url);
    const words = ['index', 'status', '--count', '--port', port, ...only(experimentIds)];
    const { code, stdout } = await command(...words, '--json');
    const status = JSON.parse(stdout) as IndexStatus;
    expect(code).toBe(0);
    expect(status).toMatchObject({
      kind: name,
      isKeptUp: true,
      epoch: await index.epoch(),
      states: { complete: 3, excluded: 0, 'not recorded': 0 },
      indexRuns: RUNS,
      backendRuns: RUNS,
    });
    for (const { indexRuns, backendRuns } of status.experiments) expect(indexRuns).toBe(backendRuns);
    const people = (await command(...words)).stdout;
    expect(people).toMatch(new RegExp(`^index +${name} `));
    expect(people).toMatch(/kept up +yes, by the gateway at http/);
    expect(people).toContain(`runs         ${RUNS} of ${RUNS}\n`);
  });

  it.each([
    ['all', ['--full'], RUNS, RUNS],
    ['some', ['--sample', '20'], 20, RUNS - 1],
    ['as many as there are', ['--sample', '1000'], RUNS, RUNS],
  ])('verify compares %s, and finds nothing to tell', async (_, words, least, most) => {
    const report = await verified(...words);
    expect(report).toMatchObject({ code: 0, comparedExperiments: 3, byExperiment: {}, runs: [], notRecorded: [] });
    expect(report.comparedRuns).toBeGreaterThanOrEqual(least);
    expect(report.comparedRuns).toBeLessThanOrEqual(most);
  });

  it('verify is not misled by clients that write meanwhile', async () => {
    let writing = true;
    let written = 0;
    const runIds = (await searchAll(mlflow, experimentIds)).map((text) => JSON.parse(text).info.run_id as string);
    const write = async () => {
      while (writing) {
        const run_id = random.pick(runIds.slice(1));
        const experiment_id = random.pick(experimentIds);
        await post(gateway.url, 'runs/restore', { run_id });
        // Another writer may have deleted it again.
        const tag = { run_id, key: 'mark', value: `${written++}` };
        await post(gateway.url, 'runs/set-tag', tag).catch(() => undefined);
        if (random.chance(0.3)) await post(gateway.url, 'runs/delete', { run_id });
        if (random.chance(0.2)) await createRun(gateway.url, { experiment_id, start_time: Date.now() });
      }
    };
    const [hot = ''] = runIds;
    // It may be one that was deleted.
    await post(gateway.url, 'runs/restore', { run_id: hot });
    const logOn = async () => {
      while (writing)
        await post(gateway.url, 'runs/log-metric', {
          run_id: hot,
          key: 'm',
          value: written,
          timestamp: 1,
          step: written,
        });
    };
    const writers = [write(), write(), logOn()];
    const found: VerifyReport[] = [];
    for (const words of [['--full'], ['--full'], ['--sample', '30']]) found.push(await verified(...words));
    writing = false;
    await Promise.all(writers);
    for (const report of found)
      expect(report).toMatchObject({ code: 0, differences: { missing: 0, gone: 0, changed: 0 }, openRuns: 0 });
    expect(written).toBeGreaterThan(30);
  });

  describe('when the index is damaged', () => {
    const GONE = 'f'.repeat(32);
    let changed: string;
    let missing: string;

    beforeAll(async () => {
      // So that nothing is repaired meanwhile.
      await gateway.stop();
      const [first = ''] = experimentIds;
      const [text = ''] = await searchAll(mlflow, [first]);
      changed = JSON.parse(text).info.run_id;
      const altered = text.replace(/"lifecycle_stage":"\w+"/, '"lifecycle_stage":"lost"');
      await fillIndex(index, [altered, text.replaceAll(changed, GONE)]);
      missing = await createRun(mlflow, { experiment_id: experimentIds[1], start_time: 5 });
    });

    it('verify tells each run that differs, and what in it', async () => {
      const report = await verified('--full');
      expect(report).toMatchObject({
        code: 1,
        interrupted: false,
        differences: { missing: 1, gone: 1, changed: 1 },
        byExperiment: {
          [experimentIds[0] ?? '']: { missing: 0, gone: 1, changed: 1 },
          [experimentIds[1] ?? '']: { missing: 1, gone: 0, changed: 0 },
        },
        busyRuns: 0,
        openRuns: 0,
      });
      const found = new Map(report.runs.map(({ runId, ...rest }) => [runId, rest]));
      expect(found.get(changed)).toMatchObject({
        kind: 'changed',
        fields: [expect.stringMatching(/^info\.lifecycle_stage: "lost" ≠ "(active|deleted)"$/)],
      });
      expect(found.get(missing)).toMatchObject({ kind: 'missing', experimentId: experimentIds[1] });
      expect(found.get(GONE)).toMatchObject({ kind: 'gone', experimentId: experimentIds[0] });
    });

    it('a sample large enough finds them as well; people are told in words, and no more than they ask for', async () => {
      const words = ['verify', '--sample', '10000', '--max-differences', '1', ...only(experimentIds)];
      const { code, stdout } = await command(...words);
      expect(code).toBe(1);
      expect(stdout).toContain('experiments compared: 1 missing, 1 gone, 1 changed\n');
      expect(stdout).toContain(`experiment ${experimentIds[1]}: 1 missing\n`);
      expect(stdout.match(/^(missing|gone|changed) \w{32} /gm)).toHaveLength(1);
      expect(stdout).toContain('2 more runs');
    });

    it('ends at Ctrl-C with 130', async () => {
      const words = ['verify', '--full', '--json', ...only(experimentIds), ...flags()];
      const { code } = await runCommand(words, env, (child) => void sleep(3_000).then(() => child.kill('SIGINT')));
      expect(code).toBe(130);
    });

    it('says what was found so far when it is interrupted', async () => {
      const client = new UpstreamClient({ url: mlflow, timeoutMs: 60_000, connections: 8 });
      const stop = new AbortController();
      const verifying = verify(
        { index, reader: createRunReader(client), backend: createMlflowAdapter(client) },
        {
          experimentIds,
          maxDifferences: 20,
          signal: stop.signal,
          pausesMs: [120_000],
          onProgress: ({ experimentsDone }) => experimentsDone === 3 && setTimeout(() => stop.abort(), 200),
        },
      );
      expect(await verifying).toMatchObject({
        interrupted: true,
        comparedExperiments: 3,
        byExperiment: {},
        openRuns: 3,
      });
      await client.close();
    });

    it('index status counts what is there', async () => {
      const { stdout } = await command('index', 'status', '--count', '--json', ...only(experimentIds));
      const status = JSON.parse(stdout) as IndexStatus;
      expect(status).toMatchObject({ isKeptUp: null, gateway: null });
      expect(status.experiments.map(({ indexRuns = 0, backendRuns = 0 }) => indexRuns - backendRuns)).toEqual([
        1, -1, 0,
      ]);
    });

    it('backfill brings back what is missing and changed', async () => {
      const { code, stdout } = await command('backfill', '--json', ...only(experimentIds));
      expect(code).toBe(0);
      expect(JSON.parse(stdout)).toMatchObject({ experiments: 3, excluded: [], failed: {}, superseded: false });
      expect(await verified('--full')).toMatchObject({ code: 1, differences: { missing: 0, gone: 1, changed: 0 } });
    });

    it('names experiments that the index does not know, and does not compare them', async () => {
      const [unknown = ''] = await createExperiments(mlflow, 1, `unknown-${name}`);
      await createRun(mlflow, { experiment_id: unknown });
      const { code, stdout } = await command('verify', '--json', '--experiment', unknown);
      expect(code).toBe(1);
      expect(JSON.parse(stdout)).toMatchObject({ notRecorded: [unknown], comparedRuns: 0, byExperiment: {} });
      const status = await command('index', 'status', '--experiment', unknown);
      expect(status).toMatchObject({ code: 1, stdout: expect.stringMatching(`\n${unknown} +not recorded\n`) });
    });

    it('refuses an experiment that does not exist', async () => {
      const { code, stderr } = await command('verify', '--experiment', '987654321');
      expect([code, stderr]).toEqual([2, expect.stringContaining('--experiment 987654321: the MLflow server has no')]);
    });
  });
});
