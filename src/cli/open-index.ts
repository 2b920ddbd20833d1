import { readFileSync } from 'node:fs';
import { createElasticsearchIndex } from '../../adapters/elasticsearch/index.ts';
import type { Config } from '../config/schema.ts';
import type { Secrets } from '../config/secrets.ts';
import { IndexFeed } from '../indexing/index-feed.ts';
import type { RunAdapter } from '../plan/adapter.ts';
import type { Feed } from '../plan/feed.ts';
import type { RunDirectory } from '../plan/run-directory.ts';
import type { RunReader } from '../plan/run-reader.ts';
import type { RunsIndex } from '../plan/runs-index.ts';
import type { Logger } from '../telemetry/logger.ts';

export interface Index {
  readonly adapter: RunAdapter;
  readonly feed: Feed;
  /** Begins to copy runs, in the background. */
  start(): void;
  /** Where it is and how far, for `/gateway/status`. */
  status(): object;
  /** Brings the index up to date, bounded in time, and lets go of it. */
  close(): Promise<void>;
}

export interface IndexParts {
  readonly directory: RunDirectory;
  readonly reader: RunReader;
  readonly logger: Logger;
}

/** The runs index that the configuration names; undefined when it names none. */
export function openRunsIndex({ elasticsearch }: Config, secrets: Secrets): RunsIndex | undefined {
  const { url, index, username, caFile, rejectUnauthorized, timeoutMs } = elasticsearch;
  if (url === undefined) return undefined;
  return createElasticsearchIndex({
    url,
    index,
    username,
    password: secrets.elasticsearchPassword,
    apiKey: secrets.elasticsearchApiKey,
    ca: caFile === undefined ? undefined : readFileSync(caFile, 'utf8'),
    rejectUnauthorized,
    timeoutMs,
  });
}

/** The index and what keeps it up to date. */
export function openIndex(config: Config, secrets: Secrets, parts: IndexParts): Index | undefined {
  const index = openRunsIndex(config, secrets);
  if (!index) return undefined;
  const { logger, ...ports } = parts;
  const feed = new IndexFeed(
    { ...ports, index },
    {
      readyMs: config.feed.flushTimeoutMs,
      onFailure: (err) =>
        logger.warn({ err }, 'the index is not up to date; the MLflow server answers where it is not'),
    },
  );
  return {
    adapter: index,
    feed,
    start: () => feed.start(),
    status: () => ({ name: index.name, ...feed.status() }),
    async close() {
      await feed.stop();
      await index.close();
    },
  };
}
