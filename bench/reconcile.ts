import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createRun } from '../test/fixtures/create-run.ts';
import { type GatewayProcess, startGateway } from '../test/fixtures/gateway-process.ts';
import { createExperiments, post } from '../test/fuzz/load-runs.ts';
import { Random } from '../test/fuzz/random.ts';
import { gatewayEnv } from './gateway-env.ts';
import { loadMlflow } from './load-mlflow.ts';
import { FIRST_START_MS, makeRuns } from './make-runs.ts';
import { startMlflowOnFile } from './mlflow-on-file.ts';
import { openFolder } from './open-folder.ts';
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

interface DirectWriting {
  /** What makes of a new run, before the gateway copies it, the one that is written to; absent: that one is new. */
  readonly before?: readonly Act[];
  readonly act: Act;
}

const WRITES = {
  'a new run': { act: tag },
  'a tag of an open run': { before: [], act: tag },
  'the end of an open run': { before: [], act: (url, target) => update(url, target, end(Date.now())) },
  'a tag of a run that ended lately': { before: [endLately], act: tag },
  'the deletion of a run that ended lately': { before: [endLately], act: remove },
  'the restoration of a run that ended lately': { before: [endLately, remove], act: restore },
} satisfies Record<string, DirectWriting>;
const NAMES = Object.keys(WRITES) as DirectWrite[];

/** How soon a gateway with the periods that it has by itself finds what was written past it. */
export const benchReconcile = (options: BenchOptions, say: Say): Promise<ReconcileResult> =>
  withServices(async (open) => {
    const folder = await openFolder(open, 'reconcile');
    const mlflow = await open(startMlflowOnFile(join(folder, 'mlflow.db')));
    const experimentIds = await createExperiments(mlflow.url, EXPERIMENTS, 'bench');
    const server = { url: mlflow.url, experimentIds, random: new Random(3) };
    const start = async () => {
      const args = ['--upstream', mlflow.url, '--data-dir', await mkdtemp(join(folder, 'data-'))];
      return startGateway(args, { ...gatewayEnv(options.profile), GATEWAY_INDEX_STORE: 'sqlite' });
    };
    for (let i = 0; i < FEW_OPEN; i++) await newTarget(server, FIRST_START_MS);
    const quiet = await measure(server, start, say);
    let openRuns = FEW_OPEN;
    const count = (run: string) => {
      if (!run.includes('"end_time"')) openRuns++;
      return run;
    };
    const runs = makeRuns(options.runs, experimentIds).map(count);
    await loadMlflow(mlflow.databaseUri, withProgress(runs, 'MLflow', say));
    const busy = await measure(server, start, say);
    return {
      writes: TIMES,
      servers: [
        { runs: FEW_OPEN, openRuns: FEW_OPEN, seen: quiet },
        { runs: FEW_OPEN + options.runs, openRuns, seen: busy },
      ],
    };
  });

interface Server {
  readonly url: string;
  readonly experimentIds: readonly string[];
  readonly random: Random;
}

async function newTarget({ url, experimentIds, random }: Server, start_time: number, before: readonly Act[] = []) {
  const experimentId = random.pick([...experimentIds]);
  const target = { run_id: await createRun(url, { experiment_id: experimentId, start_time }), experimentId };
  for (const act of before) await act(url, target);
  return target;
}

async function measure(server: Server, start: () => Promise<GatewayProcess>, say: Say) {
  const { url, random } = server;
  const probes: { readonly name: DirectWrite; readonly target: Target | undefined }[] = [];
  for (const name of NAMES) {
    const { before }: DirectWriting = WRITES[name];
    for (let i = 0; i < TIMES; i++)
      probes.push({ name, target: before && (await newTarget(server, longAgo(random), before)) });
  }
  const gateway = await start();
  try {
    await untilComplete(gateway);
    const probing = probes.map(async ({ name, target }) => {
      await sleep(random.int(0, SPREAD_MS));
      const written = target ?? (await newTarget(server, Date.now()));
      await WRITES[name].act(url, written);
      const seconds = await timeToSeen(url, gateway.url, written);
      say(`${name}: ${seconds.toFixed(1)} s`);
      return { name, seconds };
    });
    const times = Map.groupBy(await Promise.all(probing), ({ name }) => name);
    const seen = NAMES.map((name) => {
      const seconds = times.get(name)?.map((time) => time.seconds) ?? [];
      return [name, { median: median(seconds), longest: Math.max(...seconds) }];
    });
    return Object.fromEntries(seen) as Record<DirectWrite, TimeToSeen>;
  } finally {
    await gateway.stop();
  }
}

/** From a write's answer until the gateway tells of the run what MLflow does, in s. */
async function timeToSeen(mlflow: string, gateway: string, { run_id, experimentId }: Target): Promise<number> {
  const begun = performance.now();
  const search = { experiment_ids: [experimentId], filter: `attributes.run_id = '${run_id}'`, run_view_type: 'ALL' };
  const written = JSON.stringify(await post(mlflow, 'runs/search', search));
  while (JSON.stringify(await post(gateway, 'runs/search', search)) !== written) await sleep(POLL_MS);
  return (performance.now() - begun) / 1_000;
}
