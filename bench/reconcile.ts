import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createRun } from '../test/fixtures/create-run.ts';
import { startGateway } from '../test/fixtures/gateway-process.ts';
import { createExperiments, post } from '../test/fuzz/load-runs.ts';
import { Random } from '../test/fuzz/random.ts';
import { gatewayEnv } from './gateway-env.ts';
import { loadMlflow } from './load-mlflow.ts';
import { FIRST_START_MS, makeRuns } from './make-runs.ts';
import { startMlflowOnFile } from './mlflow-on-file.ts';
import type { BenchOptions } from './options.ts';
import { type Say, withProgress } from './progress.ts';
import { median } from './statistics.ts';
import { untilComplete } from './until-complete.ts';
import { withServices } from './with-services.ts';

/** What is done past the gateway. */
export type DirectWrite = keyof typeof WRITES;

/** Until a direct write is found through the gateway, in s. */
export interface TimeToSeen {
  readonly median: number;
  readonly longest: number;
}

export interface ReconcileResult {
  /** Of each kind, on each server. */
  readonly writes: number;
  /** A server each: how many runs it has that are not over, and how many in all, without those written to. */
  readonly servers: readonly {
    readonly runs: number;
    readonly openRuns: number;
    readonly seen: Readonly<Record<DirectWrite, TimeToSeen>>;
  }[];
}

interface Target {
  readonly run_id: string;
  readonly experimentId: string;
}

const EXPERIMENTS = 20;
const TIMES = 8;
/** Writes are spread over more than the longest period of a pass that finds them, in ms. */
const SPREAD_MS = 90_000;
const POLL_MS = 250;
const LATELY_MS = 600_000;
const FEW_OPEN = 20;
/** Among the starts of the other runs, so that no pass comes upon a run because it is the newest. */
const longAgo = (random: Random) => FIRST_START_MS + random.int(0, 6_000_000);

const end = (at: number) => ({ status: 'FINISHED', end_time: at });
const update = (url: string, { run_id }: Target, change: object) => post(url, 'runs/update', { run_id, ...change });
const tag = (url: string, { run_id }: Target) => post(url, 'runs/set-tag', { run_id, key: 'direct', value: run_id });
const remove = (url: string, { run_id }: Target) => post(url, 'runs/delete', { run_id });
const restore = (url: string, { run_id }: Target) => post(url, 'runs/restore', { run_id });
const endLately = (url: string, target: Target) => update(url, target, end(Date.now() - LATELY_MS));

type Act = (url: string, target: Target) => Promise<unknown>;

/** How a run is brought about before the gateway copies it; then what is done to it behind the gateway's back. */
const WRITES = {
  'a new run': { act: tag },
  'a tag of an open run': { before: [], act: tag },
  'the end of an open run': { before: [], act: (url, target) => update(url, target, end(Date.now())) },
  'a tag of a run that ended lately': { before: [endLately], act: tag },
  'the deletion of a run that ended lately': { before: [endLately], act: remove },
  'the restoration of a run that ended lately': { before: [endLately, remove], act: restore },
} satisfies Record<string, { readonly before?: readonly Act[]; readonly act: Act }>;

/** How soon a gateway with the periods that it has by itself finds what was written past it. */
export const benchReconcile = (options: BenchOptions, say: Say): Promise<ReconcileResult> =>
  withServices(async (open) => {
    const folder = await mkdtemp(join(tmpdir(), 'bench-reconcile-'));
    await open(Promise.resolve({ stop: () => rm(folder, { recursive: true }) }));
    const mlflow = await open(startMlflowOnFile(join(folder, 'mlflow.db')));
    const experimentIds = await createExperiments(mlflow.url, EXPERIMENTS, 'bench');
    const measure = async () => {
      const random = new Random(3);
      const newTarget = async (start_time: number, before: readonly Act[]): Promise<Target> => {
        const experimentId = random.pick(experimentIds);
        const run_id = await createRun(mlflow.url, { experiment_id: experimentId, start_time });
        for (const act of before) await act(mlflow.url, { run_id, experimentId });
        return { run_id, experimentId };
      };
      const probes: { readonly name: DirectWrite; readonly target: Target | undefined; readonly act: Act }[] = [];
      for (const [name, write] of Object.entries(WRITES) as [DirectWrite, { before?: readonly Act[]; act: Act }][])
        for (let i = 0; i < TIMES; i++)
          probes.push({
            name,
            act: write.act,
            target: write.before && (await newTarget(longAgo(random), write.before)),
          });
      const gateway = await startGateway(
        ['--upstream', mlflow.url, '--data-dir', await mkdtemp(join(folder, 'data-'))],
        { ...gatewayEnv(options.profile), GATEWAY_INDEX_STORE: 'sqlite' },
      );
      try {
        await untilComplete(gateway);
        const times = new Map<DirectWrite, number[]>();
        const probing = probes.map(async ({ name, target, act }) => {
          await sleep(random.int(0, SPREAD_MS));
          const written = target ?? (await newTarget(Date.now(), []));
          await act(mlflow.url, written);
          const seconds = await timeToSeen(mlflow.url, gateway.url, written);
          times.set(name, [...(times.get(name) ?? []), seconds]);
          say(`${name}: ${seconds.toFixed(1)} s`);
        });
        await Promise.all(probing);
        const seen = Object.keys(WRITES).map((name) => {
          const seconds = times.get(name as DirectWrite) ?? [];
          return [name, { median: median(seconds), longest: Math.max(...seconds) }];
        });
        return Object.fromEntries(seen) as Record<DirectWrite, TimeToSeen>;
      } finally {
        await gateway.stop();
      }
    };
    for (let i = 0; i < FEW_OPEN; i++)
      await createRun(mlflow.url, { experiment_id: experimentIds[i % EXPERIMENTS], start_time: FIRST_START_MS });
    const quiet = await measure();
    await loadMlflow(mlflow.databaseUri, withProgress(makeRuns(options.runs, experimentIds), 'MLflow', say));
    const openRuns = [...makeRuns(options.runs, experimentIds)].filter((run) => !run.includes('"end_time"')).length;
    const busy = await measure();
    return {
      writes: TIMES,
      servers: [
        { runs: FEW_OPEN, openRuns: FEW_OPEN, seen: quiet },
        { runs: FEW_OPEN + options.runs, openRuns: FEW_OPEN + openRuns, seen: busy },
      ],
    };
  });

/** From a write's answer until the gateway tells of the run what MLflow does, in s. */
async function timeToSeen(mlflow: string, gateway: string, { run_id, experimentId }: Target): Promise<number> {
  const begun = performance.now();
  const search = { experiment_ids: [experimentId], filter: `attributes.run_id = '${run_id}'`, run_view_type: 'ALL' };
  const written = JSON.stringify(await post(mlflow, 'runs/search', search));
  while (JSON.stringify(await post(gateway, 'runs/search', search)) !== written) await sleep(POLL_MS);
  return (performance.now() - begun) / 1_000;
}
