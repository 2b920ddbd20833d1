import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startGateway, waitForIndex } from '../fixtures/gateway-process.ts';
import { createExperiments, loadRun, post } from '../fuzz/load-runs.ts';
import { makeRuns } from '../fuzz/make-runs.ts';
import { Random } from '../fuzz/random.ts';
import { startMlflow } from '../services/mlflow.ts';
import type { FederationOptions } from './options.ts';
import type { Whole } from './reference.ts';

/** Of which each is in one backend. */
const EXPERIMENTS = 6;
const IDS = ['lab', 'b'];

interface Stoppable {
  stop(): Promise<unknown>;
}

/** Gateways with and without an index, over several MLflow servers with random runs. */
export async function openWorld({ seed, runs: count, backends }: FederationOptions, opened: Stoppable[]) {
  const random = new Random(seed);
  const mlflows = await Promise.all(Array.from({ length: backends }, () => startMlflow({ workers: 2 })));
  opened.push(...mlflows);
  const folder = await mkdtemp(join(tmpdir(), 'federation-'));
  opened.push({ stop: () => rm(folder, { recursive: true }) });
  const file = join(folder, 'config.yaml');
  const [first, ...others] = mlflows.map(({ url }) => url);
  await writeFile(
    file,
    JSON.stringify({
      upstream: { url: first },
      backends: Object.fromEntries(others.map((url, at) => [IDS[at], { url }])),
      data: { dir: folder },
      log: { level: 'warn' },
    }),
  );
  const start = async (env: Record<string, string>) => {
    const gateway = await startGateway(['--config', file], { GATEWAY_DATA_DIR: folder, ...env });
    opened.push(gateway);
    return gateway;
  };
  for (const { url } of mlflows) await createExperiments(url, 1, 'nothing');
  const owners = Array.from({ length: EXPERIMENTS }, (_, at) => at % backends);
  const native: string[] = [];
  for (const owner of owners) native.push(...(await createExperiments(mlflows[owner]?.url ?? '', 1, 'federation')));
  const prefixOf = (experiment: number) => (owners[experiment] ? `${IDS[(owners[experiment] ?? 0) - 1]}-` : '');
  const experimentIds = native.map((id, at) => prefixOf(at) + id);
  // MLflow makes up a name for a run without one.
  const plans = makeRuns(random, count, EXPERIMENTS).map((plan, at) => ({ ...plan, name: plan.name || `run-${at}` }));
  // The first half is there before the gateway is, the second is written through it.
  const half = Math.floor(plans.length / 2);
  const ids: string[] = [];
  for (const plan of plans.slice(0, half)) {
    const owner = mlflows[owners[plan.experiment] ?? 0]?.url ?? '';
    ids.push(prefixOf(plan.experiment) + (await loadRun(owner, plan, native)));
  }
  const indexed = await start({ GATEWAY_INDEX_STORE: 'sqlite', GATEWAY_CACHE_STORE: 'none' });
  for (const plan of plans.slice(half)) ids.push(await loadRun(indexed.url, plan, experimentIds));
  const runs: Whole['runs'][number][] = [];
  for (const [at, id] of ids.entries()) {
    const parent = !plans[at]?.deleted && random.chance(0.3) ? random.pick(ids) : undefined;
    if (parent) await post(indexed.url, 'runs/set-tag', { run_id: id, key: 'mlflow.parentRunId', value: parent });
    runs.push({ id, parent, artifactUri: await artifactUriOf(indexed.url, id) });
  }
  const plain = await start({ GATEWAY_INDEX_STORE: 'none', GATEWAY_CACHE_STORE: 'memory' });
  await waitForIndex(indexed, experimentIds);
  return { gateways: { indexed: indexed.url, plain: plain.url }, whole: { experimentIds, plans, runs } };
}

async function artifactUriOf(url: string, id: string): Promise<string> {
  const answer = await fetch(`${url}/api/2.0/mlflow/runs/get?run_id=${id}`);
  const { run } = (await answer.json()) as { run: { info: { artifact_uri: string } } };
  return run.info.artifact_uri;
}
