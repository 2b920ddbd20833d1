import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startGateway, waitForIndex } from '../fixtures/gateway-process.ts';
import { startElasticsearch } from '../services/elasticsearch.ts';
import { startMlflow } from '../services/mlflow.ts';
import { startPostgresql } from '../services/postgresql.ts';
import { differenceOf, differenceOfStore } from './compare-answers.ts';
import { createExperiments, loadRun } from './load-runs.ts';
import { makeRuns } from './make-runs.ts';
import type { Known } from './make-search.ts';
import { openStore } from './open-store.ts';
import { type FuzzOptions, HELP, readOptions } from './options.ts';
import { Random } from './random.ts';
import { type Contestants, runSeed, type Tally } from './run-seed.ts';

const EXPERIMENTS = 4;

interface Stoppable {
  stop(): Promise<unknown>;
}

async function fuzz(options: FuzzOptions, opened: Stoppable[]): Promise<boolean> {
  const open: Open = async (starting) => {
    const started = await starting;
    opened.unshift(started);
    return started;
  };
  const { contestants, known } = await (options.device === 'store' ? openTwins : openGateways)(options, open);
  let same = true;
  for (const seed of options.seeds) {
    const started = Date.now();
    const tally = await runSeed(contestants, known, seed, options.n, progress(seed, options.n));
    report(seed, tally, Date.now() - started);
    same &&= tally.differences.length === 0;
  }
  return same;
}

interface Comparison {
  readonly contestants: Contestants;
  readonly known: Known;
}

async function openTwins(options: FuzzOptions, open: Open): Promise<Comparison> {
  const mlflow = await openMlflow(options, open);
  const experimentIds = await createExperiments(mlflow.url, EXPERIMENTS, 'fuzz');
  // Both make up a name for a run without one.
  const plans = makeRuns(new Random(options.seeds[0] ?? 1), options.runs, EXPERIMENTS).map((plan, at) => ({
    ...plan,
    name: plan.name || `run-${at}`,
  }));
  const runIds: string[] = [];
  for (const plan of plans) runIds.push(await loadRun(mlflow.url, plan, experimentIds));
  const store = await open(openStore({ experimentIds, plans, runIds }));
  return {
    contestants: { mlflow: mlflow.url, gateways: { store: store.url }, repeats: {}, differenceOf: differenceOfStore },
    known: { experimentIds, runIds },
  };
}

async function openGateways(options: FuzzOptions, open: Open): Promise<Comparison> {
  const [index, mlflow] = await Promise.all([openIndex(options, open), openMlflow(options, open)]);
  const random = new Random(options.seeds[0] ?? 1);
  const experimentIds = await createExperiments(mlflow.url, EXPERIMENTS, 'fuzz');
  const plans = makeRuns(random, options.runs, EXPERIMENTS);
  // The first half is there before the gateway is, the second is written through it.
  const half = Math.floor(plans.length / 2);
  const runIds: string[] = [];
  for (const plan of plans.slice(0, half)) runIds.push(await loadRun(mlflow.url, plan, experimentIds));
  const upstream = ['--upstream', mlflow.url];
  const knowing = options.backend === 'postgresql-c' ? { GATEWAY_DIALECT: options.backend } : {};
  const indexed = await open(
    startGateway([...upstream, ...index.flags], {
      ...knowing,
      GATEWAY_INDEX_STORE: options.index,
      GATEWAY_CACHE_STORE: 'none',
      GATEWAY_LOG_LEVEL: 'warn',
    }),
  );
  for (const plan of plans.slice(half)) runIds.push(await loadRun(indexed.url, plan, experimentIds));
  await waitForIndex(indexed, experimentIds);
  const plain = await open(
    startGateway(upstream, { ...knowing, GATEWAY_CACHE_STORE: 'memory', GATEWAY_LOG_LEVEL: 'warn' }),
  );
  const gateways = { indexed: indexed.url, plain: plain.url };
  return {
    contestants: { mlflow: mlflow.url, gateways, repeats: { cached: plain.url }, differenceOf },
    known: { experimentIds, runIds },
  };
}

type Open = <S extends Stoppable>(starting: Promise<S>) => Promise<S>;

/** What the index needs, and how the gateway is told of it. */
async function openIndex({ index }: FuzzOptions, open: Open): Promise<{ readonly flags: readonly string[] }> {
  if (index === 'elasticsearch') return { flags: ['--elasticsearch', (await open(startElasticsearch())).url] };
  const folder = await mkdtemp(join(tmpdir(), 'fuzz-index-'));
  await open(Promise.resolve({ stop: () => rm(folder, { recursive: true }) }));
  return { flags: ['--data-dir', folder] };
}

async function openMlflow({ backend }: FuzzOptions, open: Open) {
  if (backend === 'sqlite') return open(startMlflow({ workers: 2 }));
  const database = await open(startPostgresql());
  return open(startMlflow({ workers: 2, backendStoreUri: database.url }));
}

const progress = (seed: number, n: number) => (done: number) => {
  if (process.stderr.isTTY) process.stderr.write(`\rseed ${seed}: ${done}/${n}${done === n ? '\n' : ''}`);
  else if (done % 500 === 0) console.error(`seed ${seed}: ${done}/${n}`);
};

function report(seed: number, { searches, validPages, sources, differences }: Tally, ms: number): void {
  const shares = Object.entries(sources).map(
    ([name, counts]) =>
      `${name} ${Object.entries(counts)
        .map(([source, count]) => `${source} ${count}`)
        .join(' ')}`,
  );
  console.log(
    `seed ${seed}: ${searches} searches, ${validPages} valid pages (${shares.join('; ')}), ` +
      (sources.indexed ? `${((100 * (sources.indexed.index ?? 0)) / validPages).toFixed(1)} % by the index, ` : '') +
      `${differences.length} differences, ${Math.round(ms / 1000)} s`,
  );
  for (const difference of differences) console.log(`  ${difference}`);
}

async function main(): Promise<void> {
  const options = readOptions(process.argv.slice(2));
  if (!options) return console.log(HELP);
  const opened: Stoppable[] = [];
  try {
    process.exitCode = (await fuzz(options, opened)) ? 0 : 1;
  } finally {
    for (const service of opened) await service.stop();
  }
}

for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(130));
await main().catch((error: Error) => {
  console.error(error.message);
  process.exitCode = 2;
});
