import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { createRunReader } from '../adapters/mlflow/index.ts';
import { inParallel } from '../src/indexing/in-parallel.ts';
import type { IndexStatus } from '../src/inspect/index-status.ts';
import type { VerifyReport } from '../src/inspect/verify-report.ts';
import { UpstreamClient } from '../src/upstream/upstream-client.ts';
import { newElasticsearchPlace } from '../test/fixtures/elasticsearch-place.ts';
import { startGateway } from '../test/fixtures/gateway-process.ts';
import { runCommand } from '../test/fixtures/run-command.ts';
import { createExperiments } from '../test/fuzz/load-runs.ts';
import { startElasticsearch } from '../test/services/elasticsearch.ts';
import { alternate } from './alternate.ts';
import { gatewayEnv } from './gateway-env.ts';
import { loadMlflow } from './load-mlflow.ts';
import { makeRuns } from './make-runs.ts';
import { startMlflowOnFile } from './mlflow-on-file.ts';
import { openFolder } from './open-folder.ts';
import type { BenchOptions } from './options.ts';
import { type Say, withProgress } from './progress.ts';
import { median } from './statistics.ts';
import { untilComplete } from './until-complete.ts';
import { withServices } from './with-services.ts';

/** Who takes the runs: a program that throws them away, and gateways that fill an index. */
type Taker = 'read' | 'elasticsearch' | 'sqlite';

export interface BackfillResult {
  /** Medians over the rounds, in runs a second. */
  readonly rates: Readonly<Record<Taker, number>>;
  /** Median over the rounds of a backfill's rate to that of reading in the same round. */
  readonly ratios: Readonly<Record<Exclude<Taker, 'read'>, number>>;
  readonly rounds: number;
  /** Runs that were drawn from each index and compared with MLflow after each round. */
  readonly compared: number;
}

/** What a gateway calls it by itself. */
const INDEX = 'mlflow-runs';
const EXPERIMENTS = 20;
/** As the backfill does. */
const EXPERIMENTS_AT_ONCE = 2;
const COMPARED = 1_000;

/** The rate at which runs are copied into an index, and that at which MLflow gives the same pages to one who only reads. */
export const benchBackfill = (options: BenchOptions, say: Say): Promise<BackfillResult> =>
  withServices(async (open) => {
    const folder = await openFolder(open, 'backfill');
    const mlflow = await open(startMlflowOnFile(join(folder, 'mlflow.db')));
    const elasticsearch = await open(startElasticsearch({ heapMb: 1_024 }));
    const place = newElasticsearchPlace({ url: elasticsearch.url, index: INDEX, timeoutMs: 60_000 });
    const experimentIds = await createExperiments(mlflow.url, EXPERIMENTS, 'bench');
    await loadMlflow(mlflow.databaseUri, withProgress(makeRuns(options.runs, experimentIds), 'MLflow', say));
    const copyTo = async (store: Exclude<Taker, 'read'>) => {
      const left = await place.list();
      if (left.length > 0) throw new Error(`The last round left an index: ${left.join()}`);
      const args = ['--upstream', mlflow.url, '--data-dir', await mkdtemp(join(folder, 'data-'))];
      if (store === 'elasticsearch') args.push('--elasticsearch', elasticsearch.url);
      const gateway = await startGateway(args, { ...gatewayEnv(options.profile), GATEWAY_INDEX_STORE: store });
      try {
        const rate = await untilComplete(gateway);
        await checkIndex(args, store, options.runs);
        say(`${store}: ${Math.round(rate)} runs a second`);
        return rate;
      } finally {
        await gateway.stop();
        await place.remove();
      }
    };
    const takers = {
      read: async () => {
        const rate = await readAll(mlflow.url, experimentIds);
        say(`read: ${Math.round(rate)} runs a second`);
        return rate;
      },
      elasticsearch: () => copyTo('elasticsearch'),
      sqlite: () => copyTo('sqlite'),
    };
    const rates = await alternate<Taker, number>(takers, options.rounds, 0);
    const ratioOf = (store: Taker) => median(rates[store].map((rate, i) => rate / (rates.read[i] ?? Number.NaN)));
    return {
      rates: { read: median(rates.read), elasticsearch: median(rates.elasticsearch), sqlite: median(rates.sqlite) },
      ratios: { elasticsearch: ratioOf('elasticsearch'), sqlite: ratioOf('sqlite') },
      rounds: options.rounds,
      compared: COMPARED,
    };
  });

/** The pages that a backfill asks for, as many at once. @returns runs a second */
async function readAll(url: string, experimentIds: readonly string[]): Promise<number> {
  const client = new UpstreamClient({ url, timeoutMs: 60_000, connections: EXPERIMENTS_AT_ONCE });
  const reader = createRunReader(client);
  const { signal } = new AbortController();
  const start = performance.now();
  let runs = 0;
  // As a gateway does, newest first.
  await inParallel(experimentIds.toReversed(), EXPERIMENTS_AT_ONCE, async (id) => {
    for await (const page of reader.scanExperiment(id, signal)) runs += page.length;
  });
  const rate = (runs * 1_000) / (performance.now() - start);
  await client.close();
  return rate;
}

/** @throws Error unless both have all runs and the same ones, as far as some drawn from every experiment tell. */
async function checkIndex(args: readonly string[], store: string, runs: number): Promise<void> {
  const env = { GATEWAY_INDEX_STORE: store };
  const run = async (...words: string[]) => (await runCommand([...words, '--json', ...args], env)).stdout;
  const { indexRuns, backendRuns } = JSON.parse(await run('index', 'status', '--count')) as IndexStatus;
  const report = JSON.parse(await run('verify', '--sample', `${COMPARED}`)) as VerifyReport;
  const isEqual = Object.keys(report.byExperiment).length + report.notRecorded.length + report.busyRuns === 0;
  if (indexRuns === runs && backendRuns === runs && report.comparedRuns >= COMPARED && isEqual) return;
  throw new Error(`The index is no copy: ${indexRuns} of ${backendRuns} runs, ${JSON.stringify(report)}`);
}
