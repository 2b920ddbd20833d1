import type { Config } from '../config/schema.ts';
import type { Secrets } from '../config/secrets.ts';
import type { RunAdapter } from '../plan/adapter.ts';
import type { Feed } from '../plan/feed.ts';
import type { RunDirectory } from '../plan/run-directory.ts';
import type { RunReader } from '../plan/run-reader.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Metrics } from '../telemetry/metrics.ts';

export interface Index {
  readonly adapter: RunAdapter;
  readonly feed: Feed;
  /** Where it is and how far, for `/gateway/status`. */
  status(): object;
  /** Brings the index up to date, bounded in time, and lets go of it. */
  close(): Promise<void>;
}

export interface IndexParts {
  readonly directory: RunDirectory;
  readonly reader: RunReader;
  readonly metrics: Metrics;
  readonly logger: Logger;
}

/** The runs index and what keeps it up to date; undefined when the configuration names none. */
export function openIndex(_config: Config, _secrets: Secrets, _parts: IndexParts): Index | undefined {
  return undefined;
}
