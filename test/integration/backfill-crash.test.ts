import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { loadMlflow } from '../../bench/load-mlflow.ts';
import { makeRuns } from '../../bench/make-runs.ts';
import { type MlflowOnFile, startMlflowOnFile } from '../../bench/mlflow-on-file.ts';
import type { FeedStatus } from '../../src/indexing/index-feed.ts';
import type { VerifyReport } from '../../src/inspect/verify-report.ts';
import { type GatewayProcess, startGateway } from '../fixtures/gateway-process.ts';
import { runCommand } from '../fixtures/run-command.ts';
import { createExperiments } from '../fuzz/load-runs.ts';

const SMALL_EXPERIMENTS = 12;
const SMALL = 300;
const LARGE = Number(process.env.BACKFILL_RUNS ?? 6_000);
/** With the one that every server has. */
const EXPERIMENTS = SMALL_EXPERIMENTS + 2;
/** The first two pages of an experiment. When so many runs were read as are on four, these two are in the index. */
const TWO_PAGES = 500;
const FOUR_PAGES = 2_500;

const INDEXES = { elasticsearch: ['--elasticsearch', inject('elasticsearchUrl')], sqlite: [] } as const;

let folder: string;
let mlflow: MlflowOnFile;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'backfill-crash-'));
  mlflow = await startMlflowOnFile(join(folder, 'mlflow.db'));
  // The newest experiments are copied first.
  const [large = '', ...small] = await createExperiments(mlflow.url, 1 + SMALL_EXPERIMENTS, 'backfill');
  await loadMlflow(mlflow.databaseUri, makeRuns(LARGE, [large], 1));
  await loadMlflow(mlflow.databaseUri, makeRuns(SMALL * SMALL_EXPERIMENTS, small, 2));
});

afterAll(async () => {
  await mlflow.stop();
  await rm(folder, { recursive: true });
});

describe.each(Object.entries(INDEXES))('a first backfill of %s that is killed three times', (name, index) => {
  const env = {
    GATEWAY_INDEX_STORE: name,
    GATEWAY_CACHE_STORE: 'none',
    GATEWAY_ELASTICSEARCH_INDEX: `backfill-crash-${process.pid}`,
    GATEWAY_ELASTICSEARCH_TIMEOUT_MS: '60000',
  };
  const args = () => ['--upstream', mlflow.url, '--data-dir', join(folder, name), ...index];
  let gateway: GatewayProcess;

  afterAll(() => gateway.stop());

  /** The first status that is as wanted. */
  async function reach(isWanted: (status: FeedStatus, runs: number) => boolean) {
    for (;;) {
      const answer = await fetch(`${gateway.url}/gateway/status`);
      const { index: status } = (await answer.json()) as { index: FeedStatus };
      const { experiments = 0, runs = 0 } = status.backfill ?? {};
      if (isWanted(status, runs))
        return { epoch: status.epoch, complete: status.completeExperiments, experiments, runs };
      await sleep(20);
    }
  }

  async function metric(metricName: string): Promise<number> {
    const text = await (await fetch(`${gateway.url}/gateway/metrics`)).text();
    return Number(new RegExp(`^${metricName} (.*)$`, 'm').exec(text)?.[1]);
  }

  async function startAgain(): Promise<void> {
    gateway.process.kill('SIGKILL');
    await once(gateway.process, 'exit');
    gateway = await startGateway(args(), env);
  }

  it(
    'reads nothing again that is in the index, and ends complete and equal to the server',
    async () => {
      gateway = await startGateway(args(), env);
      const first = await reach(({ completeExperiments }) => completeExperiments >= 3);
      expect(first).toMatchObject({ experiments: EXPERIMENTS });

      await startAgain();
      const allButLarge = await reach(
        ({ completeExperiments, backfill }) => completeExperiments + 1 === backfill?.experiments,
      );
      expect(allButLarge.experiments).toBeLessThanOrEqual(EXPERIMENTS - first.complete);
      expect(allButLarge.experiments).toBeGreaterThan(1);
      const second = await reach((_, runs) => runs >= allButLarge.runs + FOUR_PAGES);
      expect(second.complete).toBe(allButLarge.complete);
      expect(await metric('gateway_index_backfill_runs')).toBeGreaterThanOrEqual(second.runs);
      expect(await metric('gateway_index_backfill_runs_per_second')).toBeGreaterThan(0);
      expect(await metric('gateway_index_backfill_eta_seconds')).toBeGreaterThan(0);

      await startAgain();
      const third = await reach((_, runs) => runs >= FOUR_PAGES);
      expect(third).toMatchObject({ experiments: 1, complete: 0 });

      await startAgain();
      const last = await reach(({ completeExperiments }, runs) => completeExperiments > 0 && runs > 0);
      expect(last.experiments).toBe(1);
      // Where pages meet, a run comes twice.
      expect(last.runs).toBeLessThan(LARGE - 2 * TWO_PAGES + 20);
      expect(await metric('gateway_index_backfill_eta_seconds')).toBe(0);
      expect(new Set([first, second, third, last].map(({ epoch }) => epoch)).size).toBe(1);

      const { code, stdout } = await runCommand(['verify', '--full', '--json', ...args()], env);
      expect(JSON.parse(stdout) as VerifyReport).toMatchObject({
        comparedExperiments: EXPERIMENTS,
        comparedRuns: SMALL * SMALL_EXPERIMENTS + LARGE,
        differences: { missing: 0, changed: 0, gone: 0 },
        notRecorded: [],
      });
      expect(code).toBe(0);
    },
    100 * LARGE,
  );
});
