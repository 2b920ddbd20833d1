import { hash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createElasticsearchIndex } from '../../adapters/elasticsearch/index.ts';
import { createSqliteIndex, openFeedJournal } from '../../adapters/sqlite/index.ts';
import { withoutCredentials } from '../config/redact.ts';
import type { UpstreamConfig } from '../config/schema.ts';
import type { Secrets } from '../config/secrets.ts';
import { IndexFeed } from '../indexing/index-feed.ts';
import type { RunAdapter } from '../plan/adapter.ts';
import type { Feed } from '../plan/feed.ts';
import type { RunDirectory } from '../plan/run-directory.ts';
import type { RunReader } from '../plan/run-reader.ts';
import type { RunsIndex } from '../plan/runs-index.ts';
import type { WriteEffect } from '../plan/write-effect.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Metrics } from '../telemetry/metrics.ts';

export interface Index {
  /** Its kind and place, for people. */
  readonly title: string;
  readonly adapter: RunAdapter;
  readonly feed: Feed;
  /** Begins to fill the index, in the background. */
  start(): void;
  /** How far it is, for `/gateway/status`. */
  status(): object;
  /** Brings the index up to date, bounded in time, and lets go of it. */
  close(): Promise<void>;
}

export interface IndexParts {
  readonly directory: RunDirectory;
  readonly reader: RunReader;
  readonly metrics: Metrics;
  readonly logger: Logger;
  /** Told what was written past the gateway, once the index has it. */
  onRepaired?(effect: WriteEffect): Promise<void>;
}

/** The runs index and what keeps it up to date; undefined when the configuration names none. */
export function openIndex(config: UpstreamConfig, secrets: Secrets, parts: IndexParts): Index | undefined {
  const index = openRunsIndex(config, secrets);
  if (!index) return undefined;
  const { directory, reader, metrics, logger, onRepaired } = parts;
  const journal = openFeedJournal({
    file: journalFile(config),
    maxAbsenceMs: config.feed.resumeWithinMs,
    onFailure: (err) => logger.warn({ err }, 'the feed has no journal: after a crash the index is copied anew'),
  });
  const feed = new IndexFeed(
    { index, reader, directory, journal },
    {
      readyMs: config.feed.readyTimeoutMs,
      uncertainMs: config.feed.uncertainWriteMs,
      maxRunsPerSecond: config.feed.maxRunsPerSecond,
      reconcile: {
        ...config.feed.reconcile,
        onPass({ pass, ms, runs, drift, experiments }) {
          for (const [kind, count] of Object.entries(drift)) metrics.drifted(kind, count);
          if (experiments + drift.missing + drift.changed + drift.gone > 0)
            logger.info(
              { pass, ms, runs, ...drift, experiments },
              'found writes past the gateway; the index is repaired',
            );
        },
        ...(onRepaired && { onRepaired }),
      },
      onFailure: (err) =>
        logger.warn({ err }, 'the index is not up to date; the MLflow server answers where it is not'),
    },
  );
  const gauges: readonly [name: string, help: string, read: () => number][] = [
    ['dirty_runs', 'Runs with writes that the index lacks.', () => feed.status().dirtyRuns],
    ['lag_seconds', 'Age of the oldest write that the index lacks.', () => feed.status().oldestDirtyAgeMs / 1_000],
    ['experiments', 'Experiments of the MLflow server.', () => feed.status().experiments],
    ['complete_experiments', 'Experiments that the index answers for.', () => feed.status().completeExperiments],
  ];
  for (const [name, help, read] of gauges) metrics.gauge(`gateway_index_${name}`, help, read);
  return {
    title: `${index.name} ${placeOf(config)}`,
    adapter: index,
    feed,
    start: () => feed.start(),
    status: () => ({ name: index.name, ...feed.status() }),
    async close() {
      await feed.stop();
      journal.close();
      await index.close();
    },
  };
}

/** The runs index that the configuration names. */
export function openRunsIndex(config: UpstreamConfig, secrets: Secrets): RunsIndex | undefined {
  const { url, caFile, ...options } = config.elasticsearch;
  if (config.index.store === 'none') return undefined;
  if (usesFile(config) || url === undefined) return createSqliteIndex({ file: indexFile(config) });
  return createElasticsearchIndex({
    ...options,
    url,
    ca: caFile === undefined ? undefined : readFileSync(caFile, 'utf8'),
    password: secrets.elasticsearchPassword,
    apiKey: secrets.elasticsearchApiKey,
  });
}

const usesFile = ({ index, elasticsearch }: UpstreamConfig): boolean =>
  index.store === 'sqlite' || (index.store === 'auto' && elasticsearch.url === undefined);

/** Where the index is, for people. */
export const placeOf = (config: UpstreamConfig): string =>
  usesFile(config) ? indexFile(config) : withoutCredentials(config.elasticsearch.url ?? '');

/** Whether the index is a file that is not there yet: opening it would make it. */
export const isFileMissing = (config: UpstreamConfig): boolean => usesFile(config) && !existsSync(indexFile(config));

/** A file for each MLflow server: gateways of several may share a data folder, never an index. */
const indexFile = ({ data, upstream }: UpstreamConfig): string =>
  join(data.dir, `index-${shortHash(upstream.url)}.sqlite`);

/** A journal for each pair of MLflow server and index. */
const journalFile = (config: UpstreamConfig): string =>
  join(
    config.data.dir,
    `feed-${shortHash(`${config.upstream.url} ${config.elasticsearch.index} ${placeOf(config)}`)}.sqlite`,
  );

const shortHash = (text: string): string => hash('sha256', text).slice(0, 12);
