import cluster, { type Worker } from 'node:cluster';
import { constants } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Config } from '../config/schema.ts';
import type { Secrets } from '../config/secrets.ts';
import { backOff } from '../faults/back-off.ts';
import { createGatherMetrics } from '../telemetry/gather-metrics.ts';
import type { Logger } from '../telemetry/logger.ts';
import { stopSignal } from './serve.ts';
import { type FromWorker, type ToWorker, WORKER_VARIABLE } from './worker.ts';

/** How long a worker that ended is missing at first and at most, in ms. */
const FIRST_MS = 100;
const MAX_MS = 5_000;
/** A worker that ran as long did not fail in a row, in ms. */
const STEADY_MS = 30_000;
/** After so many failures in a row, one before it serves is the last. */
const MAX_FAILURES = 5;
/** What a worker that drains may take longer than its own bounds say, in ms. */
const SLACK_MS = 2_000;

/**
 * Keeps processes that serve, until SIGTERM or SIGINT, or until one cannot be started. Serves nothing itself, but takes the
 * connections and deals them out. Gives the exit code. Why so: `docs/decisions/013-workers.md`.
 */
export async function serveWorkers(config: Config, secrets: Secrets, logger: Logger): Promise<number> {
  // Not as JSON, which knows no NaN.
  cluster.setupPrimary({ serialization: 'advanced' });
  const stop = new AbortController();
  const lines = Array.from({ length: config.workers }, () => Promise.withResolvers<string>());
  const shared: Shared = { config, secrets, logger, stop, gatherMetrics: createGatherMetrics(), hasServed: false };
  void stopSignal().then(() => {
    logger.info('stopping');
    stop.abort();
  });
  const keep = (at: number) => keepWorker(at + 1, shared, (line) => lines[at]?.resolve(line));
  // One alone at first: what keeps every one of them from serving is said once.
  const first = keep(0);
  await Promise.race([lines[0]?.promise, first]);
  const others = stop.signal.aborted ? [] : lines.slice(1).map((_, i) => keep(i + 1));
  void Promise.all(lines.map(({ promise }) => promise)).then(([line]) => process.stdout.write(`${line}\n`));
  return Math.max(...(await Promise.all([first, ...others])));
}

interface Shared {
  readonly config: Config;
  readonly secrets: Secrets;
  readonly logger: Logger;
  /** Aborts when all are to end. */
  readonly stop: AbortController;
  gatherMetrics(): Promise<string>;
  /** Whether any worker came so far. */
  hasServed: boolean;
}

/** Has a worker of this number run until all are to end. Gives the exit code of the last. */
async function keepWorker(number: number, shared: Shared, onServing: (line: string) => void): Promise<number> {
  const { logger, stop } = shared;
  for (let failures = 0; ; ) {
    const begun = performance.now();
    let serves = false;
    const { code, signal } = await runWorker(number, shared, (line) => {
      serves = true;
      shared.hasServed = true;
      onServing(line);
    });
    if (stop.signal.aborted) return code;
    failures = performance.now() - begun > STEADY_MS ? 1 : failures + 1;
    logger.error({ worker: number, code, signal }, 'a worker ended');
    if (!serves && (!shared.hasServed || failures >= MAX_FAILURES)) {
      stop.abort();
      return code || 1;
    }
    await sleep(backOff(failures, FIRST_MS, MAX_MS), undefined, { signal: stop.signal }).catch(() => undefined);
    if (stop.signal.aborted) return 0;
  }
}

interface End {
  readonly code: number;
  readonly signal: NodeJS.Signals | null;
}

/** Runs one process. When all are to end, it is told so, and killed when it takes longer than it may. */
async function runWorker(
  number: number,
  { config, secrets, logger, stop, gatherMetrics }: Shared,
  onServing: (line: string) => void,
): Promise<End> {
  const worker = cluster.fork({ [WORKER_VARIABLE]: String(number) });
  const ended = Promise.withResolvers<End>();
  worker.on('exit', (code: number | null, signal: NodeJS.Signals | null) =>
    ended.resolve({ code: code ?? 128 + (signal ? constants.signals[signal] : 0), signal }),
  );
  // Besides failing to start, this is what could not be sent to one that is ending.
  worker.on('error', (err) => {
    if (worker.process.pid !== undefined) return;
    logger.error({ err, worker: number }, 'a worker cannot be started');
    ended.resolve({ code: 1, signal: null });
  });
  worker.on('message', async (message: FromWorker) => {
    if (message.type === 'started') onServing(message.line);
    if (message.type === 'metrics') tell(worker, { ...message, text: await gatherMetrics().catch(() => undefined) });
  });
  tell(worker, { type: 'serve', config, secrets });
  let killing: NodeJS.Timeout | undefined;
  const end = () => {
    tell(worker, { type: 'stop' });
    killing = setTimeout(() => worker.process.kill('SIGKILL'), 2 * config.listen.drainTimeoutMs + SLACK_MS);
  };
  stop.signal.addEventListener('abort', end);
  const how = await ended.promise;
  stop.signal.removeEventListener('abort', end);
  clearTimeout(killing);
  return how;
}

function tell(worker: Worker, message: ToWorker): void {
  // One that is ending hears nothing, and nothing is lost by that.
  if (worker.isConnected()) worker.send(message, () => undefined);
}
