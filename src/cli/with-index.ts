import { constants } from 'node:os';
import { createRunReader } from '../../adapters/mlflow/index.ts';
import { ConfigError } from '../config/config-error.ts';
import { type Config, hasUpstream, isAzure, type UpstreamConfig } from '../config/schema.ts';
import type { Secrets } from '../config/secrets.ts';
import { NEVER_USED } from '../indexing/backfill-command.ts';
import type { RunReader } from '../plan/run-reader.ts';
import type { RunsIndex } from '../plan/runs-index.ts';
import { OwnReadings } from '../upstream/own-readings.ts';
import { createOwnRequester } from '../upstream/own-requester.ts';
import { type Requester, UpstreamClient } from '../upstream/upstream-client.ts';
import { openRunsIndex, placeOf } from './open-index.ts';
import { ownAuthorization } from './own-authorization.ts';

/** What a command has to work with. */
export interface Opened {
  readonly config: UpstreamConfig;
  /** Not prepared yet. */
  readonly index: RunsIndex;
  /** Asks the MLflow server in the gateway's name. */
  readonly upstream: Requester;
  readonly reader: RunReader;
  /** Aborts at Ctrl-C and SIGTERM. */
  readonly signal: AbortSignal;
}

/**
 * Does a command's work beside a running gateway, over the same index and MLflow server. Gives the exit code: that of the
 * work, or 130 after Ctrl-C. @throws ConfigError when the configuration names no server or no index.
 */
export async function withIndex(
  config: Config,
  secrets: Secrets,
  work: (opened: Opened) => Promise<number>,
): Promise<number> {
  if (!hasUpstream(config)) throw new ConfigError([{ path: 'upstream.url', message: 'missing: the MLflow server' }]);
  if (isAzure(config))
    throw new ConfigError([
      { path: 'upstream.url', message: 'is a workspace of Azure Machine Learning: it has no index' },
    ]);
  const index = openRunsIndex(config, secrets);
  if (!index) throw new ConfigError([{ path: 'index.store', message: 'is none: there is no index' }]);
  const upstream = new UpstreamClient(config.upstream);
  const own = createOwnRequester(upstream, ownAuthorization(config, secrets));
  const readings = new OwnReadings(own);
  const interrupted = new AbortController();
  let exitCode: number | undefined;
  for (const name of ['SIGINT', 'SIGTERM'] as const)
    process.once(name, () => {
      exitCode ??= 128 + constants.signals[name];
      interrupted.abort(new Error('Interrupted.'));
    });
  const { signal } = interrupted;
  try {
    const result = await work({ config, index, upstream: own, reader: createRunReader(readings), signal });
    return exitCode ?? result;
  } catch (error) {
    if (exitCode === undefined) throw error;
    process.stderr.write('\nInterrupted.\n');
    return exitCode;
  } finally {
    readings.close();
    await Promise.all([upstream.close(), index.close()]);
  }
}

/** Prepares an index that is only looked at. @throws when there is none, instead of making one. */
export async function prepareToRead({ config, index }: Opened): Promise<void> {
  if (!(await index.exists())) throw new Error(`There is no runs index at ${placeOf(config)}. ${NEVER_USED}`);
  await index.prepare();
}

/** The experiments that a command is about. @throws ConfigError when one of those asked for does not exist. */
export async function experimentsOf(
  { reader, signal }: Opened,
  asked: readonly string[] | undefined,
): Promise<readonly string[]> {
  const all = await reader.experimentIds(signal);
  const unknown = asked?.filter((id) => !all.includes(id)) ?? [];
  const message = 'the MLflow server has no such experiment';
  if (unknown.length > 0) throw new ConfigError(unknown.map((id) => ({ path: `--experiment ${id}`, message })));
  return asked ?? all;
}
