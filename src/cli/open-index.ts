import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { LRUCache } from 'lru-cache';
import { createElasticsearchIndex } from '../../adapters/elasticsearch/index.ts';
import { createSqliteIndex, openFeedJournal } from '../../adapters/sqlite/index.ts';
import { withoutCredentials } from '../config/redact.ts';
import type { UpstreamConfig } from '../config/schema.ts';
import type { Secrets } from '../config/secrets.ts';
import { urlsIn } from '../config/urls-in.ts';
import { Breaker, type OnBreakerChange, Refusal } from '../faults/breaker.ts';
import { IndexFeed } from '../indexing/index-feed.ts';
import { IndexRebuild } from '../indexing/index-rebuild.ts';
import { LiveIndex } from '../indexing/live-index.ts';
import type { Attendance } from '../plan/attendance.ts';
import type { Feed } from '../plan/feed.ts';
import type { RunDirectory } from '../plan/run-directory.ts';
import type { RunReader } from '../plan/run-reader.ts';
import type { RunsIndex } from '../plan/runs-index.ts';
import type { IndexSource } from '../plan/search-runs.ts';
import type { WriteEffect } from '../plan/write-effect.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { type LedgerParts, openLedger } from './open-ledger.ts';
import { shortHash } from './short-hash.ts';

export interface Index {
  /** Its kind and place, for people. */
  readonly title: string;
  /** What searches ask now: after a rebuild, another one. */
  readonly searched: IndexSource;
  readonly feed: Pick<Feed, 'expect' | 'apply'>;
  readonly breaker: Breaker;
  /** The gateways that share the index; undefined when one keeps it alone. */
  readonly attendance: Attendance | undefined;
  /** Begins to fill the index, in the background. Resolves when other gateways know of this one, if it has to. */
  start(): Promise<void>;
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
  readonly onBreakerChange: OnBreakerChange;
  /** Which of several workers this is. */
  readonly worker?: number | undefined;
  readonly cache: LedgerParts['cache'];
  /** Told what was written past the gateway, once the index has it. */
  onRepaired?(effect: WriteEffect): Promise<void>;
}

/** How long an index is left alone after a failure at first, and at most, in ms. */
const BREAKER_FIRST_MS = 500;
const BREAKER_MAX_MS = 2_000;

/** Runs that are told of once. */
const MAX_TOLD = 1_000;

/** The runs index and what keeps it up to date; undefined when the configuration names none. */
export function openIndex(config: UpstreamConfig, secrets: Secrets, parts: IndexParts): Index | undefined {
  const { directory, reader, metrics, logger, cache, onBreakerChange, onRepaired } = parts;
  const breaker = new Breaker({
    name: usesFile(config) ? 'sqlite' : 'elasticsearch',
    probe: () => live.served.index.ping(),
    firstMs: BREAKER_FIRST_MS,
    maxMs: BREAKER_MAX_MS,
    onChange: onBreakerChange,
  });
  const index = openRunsIndex(config, secrets, breaker);
  if (!index) return undefined;
  const journal = openFeedJournal({
    file: journalFile(config, parts.worker),
    maxAbsenceMs: config.feed.resumeWithinMs,
    onFailure: (err) => logger.warn({ err }, 'the feed has no journal: after a crash the index is copied anew'),
  });
  const told = new LRUCache<string, true>({ max: MAX_TOLD });
  const ledger = usesFile(config)
    ? undefined
    : openLedger(config, secrets, { scope: shortHash(nameOf(config)), journal, logger, cache });
  const live = new LiveIndex({
    index,
    journal,
    ledger,
    openFeed: (side) =>
      new IndexFeed(
        { index: side.index, journal: side.journal, ledger: side.ledger, reader, directory },
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
            async onRepaired(effect) {
              side.onRepaired(effect);
              await onRepaired?.(effect);
            },
          },
          onRejected: (runs) => {
            for (const run of runs.filter(({ runId }) => !told.has(runId))) {
              told.set(run.runId, true);
              logger.warn(run, 'the index cannot hold a run: the MLflow server answers for its experiment');
            }
          },
          onFailure(err) {
            // That a breaker is open was said when it opened.
            if (err instanceof Refusal) return;
            logger.warn({ err }, 'the index is not up to date; the MLflow server answers where it is not');
          },
        },
      ),
  });
  const rebuild = new IndexRebuild({
    live,
    reader,
    onState: ({ state, progress }) => logger.info({ state, ...progress }, 'the index is being rebuilt'),
    onFailure: (err) => logger.warn({ err }, 'rebuilding the index, or cleaning up after it, failed'),
  });
  const status = () => live.served.feed.status();
  const etaSeconds = () => (status().backfill?.etaMs ?? Number.NaN) / 1_000;
  const gauges: readonly [name: string, help: string, read: () => number][] = [
    ['dirty_runs', 'Runs with writes that the index lacks.', () => status().dirtyRuns],
    ['lag_seconds', 'Age of the oldest write that the index lacks.', () => status().oldestDirtyAgeMs / 1_000],
    ['gateways', 'Gateways that keep the index together.', () => status().ledger?.replicas ?? 1],
    ['missing_gateways', 'Those of them that have not reported in time.', () => status().ledger?.missing ?? 0],
    ['experiments', 'Experiments of the MLflow server.', () => status().experiments],
    ['complete_experiments', 'Experiments that the index answers for.', () => status().completeExperiments],
    ['backfill_runs', 'Runs read by the backfill that runs or ran last.', () => status().backfill?.runs ?? 0],
    ['backfill_runs_per_second', 'Its pace so far.', () => status().backfill?.runsPerSecond ?? 0],
    ['backfill_eta_seconds', 'Time left to it; not a number as long as that is unknown.', etaSeconds],
  ];
  for (const [name, help, read] of gauges) metrics.gauge(`gateway_index_${name}`, help, read);
  return {
    title: `${index.name} ${placeOf(config)}`,
    get searched() {
      const { searched } = live.served;
      return { adapter: searched, feed: searched, breaker };
    },
    feed: live,
    breaker,
    attendance: ledger,
    async start() {
      rebuild.start();
      while (!live.served.feed.joined) await sleep(JOIN_POLL_MS, undefined, { ref: false });
    },
    status: () => ({
      name: index.name,
      ...status(),
      lastFailure: status().lastFailure ?? rebuild.lastFailure,
      rebuild: rebuild.status,
    }),
    async close() {
      await rebuild.stop();
      await live.served.feed.stop();
      journal.close();
      breaker.stop();
      await live.served.index.close();
    },
  };
}

const JOIN_POLL_MS = 20;

/** The runs index that the configuration names. */
export function openRunsIndex(config: UpstreamConfig, secrets: Secrets, breaker?: Breaker): RunsIndex | undefined {
  const { url, caFile, ...options } = config.elasticsearch;
  if (config.index.store === 'none') return undefined;
  if (usesFile(config) || url === undefined) return createSqliteIndex({ file: indexFile(config) });
  return createElasticsearchIndex({
    ...options,
    url: urlsIn(url),
    breaker,
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

/** A file for each MLflow server: gateways of several may share a data folder, never an index. */
const indexFile = ({ data, upstream }: UpstreamConfig): string =>
  join(data.dir, `index-${shortHash(upstream.url)}.sqlite`);

/** A journal for each pair of MLflow server and index, and each worker. The first has that of a gateway without workers. */
const journalFile = (config: UpstreamConfig, worker = 1): string =>
  join(config.data.dir, `feed-${shortHash(nameOf(config))}${worker === 1 ? '' : `-${worker}`}.sqlite`);

/** The same for all gateways that have the same index and MLflow server. */
const nameOf = (config: UpstreamConfig): string =>
  `${config.upstream.url} ${config.elasticsearch.index} ${placeOf(config)}`;
