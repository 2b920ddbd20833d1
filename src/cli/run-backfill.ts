import { createRunReader } from '../../adapters/mlflow/index.ts';
import { ConfigError } from '../config/config-error.ts';
import { type Config, hasUpstream } from '../config/schema.ts';
import type { Secrets } from '../config/secrets.ts';
import { backfillCommand } from '../indexing/backfill-command.ts';
import { UpstreamClient } from '../upstream/upstream-client.ts';
import { openRunsIndex } from './open-index.ts';

const WITHOUT_UPSTREAM = 'missing: there is no MLflow server to copy from';

/** Copies the runs of the MLflow server into the index beside a running gateway. Gives the exit code. */
export async function runBackfill(config: Config, secrets: Secrets): Promise<number> {
  if (!hasUpstream(config)) throw new ConfigError([{ path: 'upstream.url', message: WITHOUT_UPSTREAM }]);
  const index = openRunsIndex(config, secrets);
  if (!index) throw new ConfigError([{ path: 'index.store', message: 'is none: there is no index to copy to' }]);
  const upstream = new UpstreamClient(config.upstream);
  const interrupted = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM']) process.once(name, () => interrupted.abort(new Error('Interrupted.')));
  try {
    const { maxRunsPerSecond } = config.feed;
    const reader = createRunReader(upstream);
    const { signal } = interrupted;
    return await backfillCommand({ index, reader, output: process.stderr, signal, maxRunsPerSecond });
  } finally {
    await Promise.all([upstream.close(), index.close()]);
  }
}
