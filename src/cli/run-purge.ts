import { setTimeout as sleep } from 'node:timers/promises';
import { createRunReader } from '../../adapters/mlflow/index.ts';
import { RedisStore } from '../../adapters/redis/index.ts';
import type { CommandOptions } from '../config/command.ts';
import { ConfigError } from '../config/config-error.ts';
import { type Config, hasUpstream } from '../config/schema.ts';
import type { Secrets } from '../config/secrets.ts';
import { dependency } from '../plan/read.ts';
import type { RunReader } from '../plan/run-reader.ts';
import { OwnReadings } from '../upstream/own-readings.ts';
import { createOwnRequester } from '../upstream/own-requester.ts';
import { UpstreamClient } from '../upstream/upstream-client.ts';
import { ownAuthorization } from './own-authorization.ts';
import { printJson } from './print-json.ts';
import { redisServer } from './redis-server.ts';

/** How long Redis is given to answer, and a command to it, in ms. */
const PATIENCE_MS = 5_000;
const COMMAND_MS = 1_000;
const RETRY_MS = 100;

/** Makes void what gateways keep in Redis of some runs and experiments, or all of it. Gives the exit code. */
export async function runPurge(config: Config, secrets: Secrets, options: CommandOptions): Promise<number> {
  const server = redisServer(config.redis, secrets);
  if (server === undefined || config.cache.store === 'memory' || config.cache.store === 'none')
    throw new ConfigError([
      { path: 'redis.url', message: 'missing: a cache in memory alone is gone with its gateway' },
    ]);
  const { runIds = [], experimentIds = [] } = options;
  const names = [...(await namesOfRuns(config, secrets, runIds)), ...experimentIds.flatMap(namesOfExperiment)];
  const purged = names.length > 0 ? [...new Set(names)] : [dependency.backend];
  const store = new RedisStore({
    ...server,
    keyPrefix: config.redis.keyPrefix,
    commandTimeoutMs: COMMAND_MS,
  });
  try {
    await bump(store, purged);
  } finally {
    await store.close();
  }
  if (options.json) printJson({ purged });
  else process.stdout.write(`Read anew from now on: ${names.length > 0 ? purged.join(', ') : 'everything'}\n`);
  return 0;
}

const namesOfExperiment = (id: string) => [dependency.experiments, dependency.runsOf(id)];

/**
 * What answers about a run depend on: searches of its experiment are among them, which the MLflow server is asked for.
 * @throws Error for a run that does not exist.
 */
async function namesOfRuns(config: Config, secrets: Secrets, runIds: readonly string[]) {
  if (runIds.length === 0) return [];
  if (!hasUpstream(config))
    throw new ConfigError([
      { path: 'upstream.url', message: 'missing: with --run the MLflow server tells the experiment of the run' },
    ]);
  const client = new UpstreamClient(config.upstream);
  const readings = new OwnReadings(createOwnRequester(client, ownAuthorization(config, secrets)));
  try {
    return (await Promise.all(runIds.map((id) => namesOfRun(createRunReader(readings), id)))).flat();
  } finally {
    readings.close();
    await client.close();
  }
}

async function namesOfRun(reader: RunReader, runId: string): Promise<string[]> {
  const experimentId = await reader.experimentOf(runId, AbortSignal.timeout(PATIENCE_MS));
  if (experimentId === undefined) throw new Error(`The MLflow server has no run ${runId}.`);
  return [dependency.run(runId), dependency.runsOf(experimentId)];
}

/** A connection takes a moment. @throws Error of Redis when that lasts. */
async function bump(store: RedisStore, names: readonly string[]): Promise<void> {
  for (const end = performance.now() + PATIENCE_MS; ; await sleep(RETRY_MS)) {
    try {
      return await store.bump(names);
    } catch (error) {
      if (performance.now() > end)
        throw new Error(`Redis cannot be told: ${(error as Error).message}`, { cause: error });
    }
  }
}
