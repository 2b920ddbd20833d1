import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { startGateway } from '../fixtures/gateway-process.ts';
import { createExperiments, loadRun } from './load-runs.ts';
import type { RunPlan } from './make-runs.ts';

/** What an MLflow server holds, and under which ids. */
export interface Twin {
  readonly experimentIds: readonly string[];
  readonly plans: readonly RunPlan[];
  readonly runIds: readonly string[];
}

/**
 * A gateway that is a tracking server itself and holds the same experiments and runs as an MLflow server, written by the
 * same calls. Ids are chosen at random, and ties are ordered by them, so the runs are given MLflow's ids afterwards.
 */
export async function openStore({ experimentIds, plans, runIds }: Twin) {
  const folder = await mkdtemp(join(tmpdir(), 'fuzz-store-'));
  const flags = ['--data-dir', folder];
  const loading = await startGateway(flags, { GATEWAY_LOG_LEVEL: 'warn' });
  const ids = await createExperiments(loading.url, experimentIds.length, 'fuzz');
  if (ids.join() !== experimentIds.join()) throw new Error(`Experiments ${ids} here are ${experimentIds} there.`);
  const own: string[] = [];
  for (const plan of plans) own.push(await loadRun(loading.url, plan, ids));
  await loading.stop();
  rename(
    join(folder, 'store.sqlite'),
    own.map((id, at) => [id, runIds[at] ?? id]),
  );
  const gateway = await startGateway(flags, { GATEWAY_LOG_LEVEL: 'warn' });
  const stop = async () => {
    await gateway.stop();
    await rm(folder, { recursive: true });
  };
  return { url: gateway.url, stop };
}

function rename(file: string, pairs: readonly (readonly [from: string, to: string])[]): void {
  const database = new DatabaseSync(file);
  const run = database.prepare(
    'UPDATE runs SET run_id = $to, artifact_uri = replace(artifact_uri, $from, $to) WHERE run_id = $from',
  );
  const text = database.prepare(
    'UPDATE run_texts SET text = replace(text, $from, $to) WHERE id = (SELECT id FROM runs WHERE run_id = $to)',
  );
  for (const [from, to] of pairs) {
    run.run({ from, to });
    text.run({ from, to });
  }
  database.close();
}
