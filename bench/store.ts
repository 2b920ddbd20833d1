import { join } from 'node:path';
import { startGateway } from '../test/fixtures/gateway-process.ts';
import { createExperiments } from '../test/fuzz/load-runs.ts';
import { affordableSamples } from './affordable-samples.ts';
import { alternate } from './alternate.ts';
import { type Ask, openConnection } from './connection.ts';
import { gatewayEnv } from './gateway-env.ts';
import { loadMlflow } from './load-mlflow.ts';
import { loadStore } from './load-store.ts';
import { logRuns } from './log-runs.ts';
import { makeRuns } from './make-runs.ts';
import { type MlflowOnFile, startMlflowOnFile } from './mlflow-on-file.ts';
import { openFolder } from './open-folder.ts';
import type { BenchOptions } from './options.ts';
import { peakMemoryMiB } from './process-memory.ts';
import { type Say, withProgress } from './progress.ts';
import type { RecordedRequest } from './recorder.ts';
import { checkSameRuns, countRuns } from './same-runs.ts';
import { toRequest, turnPages } from './search-request.ts';
import { type SearchShape, STORE_SHAPES } from './search-shapes.ts';
import { median, type Percentiles, percentilesOf } from './statistics.ts';
import { timeInTurns } from './time-in-turns.ts';
import { type Open, withServices } from './with-services.ts';

export interface StoreSearch {
  readonly name: string;
  readonly rows: number;
  readonly gateway: Percentiles;
  /** Undefined where it did not answer within {@link TIME_LIMIT_S}; the runs were not compared then. */
  readonly mlflow: (Percentiles & { readonly samples: number }) | undefined;
}

/** Runs logged a second, medians of rounds. */
export interface StoreLogging {
  readonly clients: number;
  readonly gateway: number;
  readonly mlflow: number;
}

export interface StoreResult {
  readonly searches: readonly StoreSearch[];
  readonly logging: readonly StoreLogging[];
  /** Of the gateway, searches and logging together. */
  readonly peakMemoryMiB: number;
}

/** How long MLflow may take for a search, in s. */
export const TIME_LIMIT_S = 30;

const EXPERIMENTS = 20;
const WARM_UP = 100;
const LOGGING_CLIENTS = [1, 8];
const LOGGING_ROUNDS = 5;
/** What `mlflow server` starts by itself. */
const MLFLOW_WORKERS = 4;

/** The gateway as a tracking server of its own, and MLflow over a SQLite file with the same runs, in turns. */
export const benchStore = (options: BenchOptions, say: Say): Promise<StoreResult> =>
  withServices(async (open) => {
    const folder = await openFolder(open, 'store');
    const mlflow = await open(startMlflowOnFile(join(folder, 'mlflow.db')));
    const experimentIds = await createExperiments(mlflow.url, EXPERIMENTS, 'bench');
    const runs = (where: string) => withProgress(makeRuns(options.runs, experimentIds), where, say);
    await loadMlflow(mlflow.databaseUri, runs('MLflow'));
    loadStore(join(folder, 'store.sqlite'), experimentIds, runs("the gateway's store"));
    const gateway = await open(startGateway(['--data-dir', folder], gatewayEnv(options.profile)));
    const searches = await compareSearches(open, { mlflow, gatewayUrl: gateway.url, experimentIds }, options, say);
    await mlflow.restart(MLFLOW_WORKERS);
    // Connections enough to reach every worker: the first request costs one much more than the others.
    for (const { url } of [mlflow, gateway])
      await logRuns(url, experimentIds[0] ?? '', 4 * MLFLOW_WORKERS, options.seconds);
    const logging: StoreLogging[] = [];
    for (const clients of LOGGING_CLIENTS) {
      say(`Logging with ${clients} at once: ${LOGGING_ROUNDS} rounds of ${options.seconds} s each`);
      const rate = (url: string) => () => logRuns(url, experimentIds[0] ?? '', clients, options.seconds);
      const rates = await alternate({ gateway: rate(gateway.url), mlflow: rate(mlflow.url) }, LOGGING_ROUNDS);
      logging.push({ clients, gateway: median(rates.gateway), mlflow: median(rates.mlflow) });
    }
    return { searches, logging, peakMemoryMiB: peakMemoryMiB(gateway.process.pid as number) };
  });

interface StoreServers {
  readonly mlflow: MlflowOnFile;
  readonly gatewayUrl: string;
  readonly experimentIds: readonly string[];
}

async function compareSearches(
  open: Open,
  { mlflow, gatewayUrl, experimentIds }: StoreServers,
  { samples }: BenchOptions,
  say: Say,
): Promise<StoreSearch[]> {
  const asks = {
    gateway: await openConnection(open, gatewayUrl),
    mlflow: await openConnection(open, mlflow.url, { timeLimitMs: TIME_LIMIT_S * 1_000 }),
  };
  const results: StoreSearch[] = [];
  for (const shape of STORE_SHAPES) {
    say(`Search: ${shape.name}`);
    // MLflow reads the page tokens of the gateway: one request for both.
    const request = toRequest(await turnPages(asks.gateway, shape, experimentIds));
    try {
      results.push(await compare(asks, shape, request, samples));
    } catch (error) {
      if ((error as Error).name !== 'TimeoutError') throw error;
      say(`MLflow took more than ${TIME_LIMIT_S} s`);
      // It would go on with what nobody waits for.
      await mlflow.restart();
      results.push(await measureAlone(asks.gateway, shape, request, samples));
    }
  }
  return results;
}

async function compare(
  asks: Record<'gateway' | 'mlflow', Ask>,
  { name }: SearchShape,
  request: RecordedRequest,
  samples: number,
): Promise<StoreSearch> {
  const answer = await asks.gateway(request);
  checkSameRuns(await asks.mlflow(request), answer);
  const ofMlflow = await affordableSamples(() => asks.mlflow(request), samples);
  const times = await timeInTurns({
    gateway: { ask: () => asks.gateway(request), samples, warmUp: WARM_UP },
    // Twice it was asked already.
    mlflow: { ask: () => asks.mlflow(request), samples: ofMlflow, warmUp: Math.floor(ofMlflow / 10) },
  });
  return {
    ...{ name, rows: countRuns(answer) },
    gateway: percentilesOf(times.gateway),
    mlflow: { ...percentilesOf(times.mlflow), samples: ofMlflow },
  };
}

async function measureAlone(ask: Ask, { name }: SearchShape, request: RecordedRequest, samples: number) {
  const { gateway } = await timeInTurns({ gateway: { ask: () => ask(request), samples, warmUp: WARM_UP } });
  return { name, rows: countRuns(await ask(request)), gateway: percentilesOf(gateway), mlflow: undefined };
}
