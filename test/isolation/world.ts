import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MlflowUser } from '../fixtures/mlflow-user.ts';
import { loadRun, post } from '../fuzz/load-runs.ts';
import { makeRuns } from '../fuzz/make-runs.ts';
import type { Random } from '../fuzz/random.ts';
import { startMlflow } from '../services/mlflow.ts';

/** A server with users, and what there is to ask for. */
export interface World {
  readonly url: string;
  readonly admin: MlflowUser;
  readonly users: readonly MlflowUser[];
  /** What the names of experiments begin with. */
  readonly label: string;
  readonly experimentIds: readonly string[];
  readonly runIds: readonly string[];
  stop(): Promise<void>;
}

export const ADMIN_PASSWORD = 'a password of an administrator';
const EXPERIMENTS = 12;
const NAMES = ['first', 'second', 'third'];
const LABEL = 'shared';
/** Of the runs: those that say which model they made. */
const SHARE_LINKED = 0.1;
const AT_ONCE = 4;

/** Loads runs into a server that asks nobody who they are, and starts it anew as one that does. */
export async function openWorld(random: Random, runs: number): Promise<World> {
  const folder = mkdtempSync(join(tmpdir(), 'isolation-'));
  const backendStoreUri = `sqlite:///${join(folder, 'mlflow.db')}`;
  const open = await startMlflow({ backendStoreUri });
  const experimentIds = await createExperiments(open.url);
  const plans = makeRuns(random, runs, EXPERIMENTS);
  const runIds: string[] = [];
  while (runIds.length < plans.length) {
    const some = plans.slice(runIds.length, runIds.length + AT_ONCE);
    runIds.push(...(await Promise.all(some.map((plan) => loadRun(open.url, plan, experimentIds)))));
  }
  for (const runId of runIds.filter((_, i) => !plans[i]?.deleted && random.chance(SHARE_LINKED)))
    await linkModel(open.url, runId);
  await open.stop();
  const auth = {
    adminPassword: ADMIN_PASSWORD,
    defaultPermission: 'NO_PERMISSIONS',
    passwordCacheSeconds: 600,
  } as const;
  const server = await startMlflow({ backendStoreUri, auth });
  const admin = new MlflowUser('admin', ADMIN_PASSWORD);
  const users = [];
  for (const name of NAMES) users.push(await admin.create(server.url, name, `the password of the ${name}`));
  const stop = () => server.stop().finally(() => rmSync(folder, { recursive: true, force: true }));
  return { url: server.url, admin, users, label: LABEL, experimentIds, runIds, stop };
}

async function createExperiments(url: string): Promise<string[]> {
  const ids: string[] = [];
  for (let i = 0; i < EXPERIMENTS; i++) {
    const { experiment_id } = await post(url, 'experiments/create', { name: `${LABEL} ${i}` });
    ids.push(String(experiment_id));
  }
  return ids;
}

async function linkModel(url: string, runId: string): Promise<void> {
  const run = await fetch(`${url}/api/2.0/mlflow/runs/get?run_id=${runId}`);
  const { info } = ((await run.json()) as { run: { info: { experiment_id: string } } }).run;
  const created = await post(url, 'logged-models', { experiment_id: info.experiment_id, source_run_id: runId });
  const { model_id } = (created.model as { info: { model_id: string } }).info;
  await post(url, 'runs/outputs', { run_id: runId, models: [{ model_id, step: 0 }] });
  await post(url, 'runs/log-metric', { run_id: runId, key: 'of a model', value: 1, timestamp: 1, step: 0, model_id });
}
