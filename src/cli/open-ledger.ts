import { setTimeout as sleep } from 'node:timers/promises';
import { openRedisLedger } from '../../adapters/redis/index.ts';
import type { UpstreamConfig } from '../config/schema.ts';
import type { Secrets } from '../config/secrets.ts';
import type { Attendance } from '../plan/attendance.ts';
import type { FeedJournal } from '../plan/feed-journal.ts';
import type { FeedLedger, LedgerMember } from '../plan/feed-ledger.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Cache } from './open-cache.ts';
import { redisServer } from './redis-server.ts';
import { shortHash } from './short-hash.ts';

export interface LedgerParts {
  /** What tells those who share something from others. */
  readonly scope: string;
  readonly journal?: FeedJournal;
  readonly logger: Logger;
  /** What this gateway reads from besides the index. */
  readonly cache: Pick<Cache, 'tell' | 'voidAll'>;
}

/** What gateways share that may take each other's word; undefined when the configuration has one of them alone. */
export function openLedger(
  { feed, redis }: UpstreamConfig,
  secrets: Secrets,
  { scope, journal, logger, cache }: LedgerParts,
): (FeedLedger & Attendance) | undefined {
  const server = redisServer(redis, secrets);
  if (feed.ledger === 'own' || server === undefined) return undefined;
  return openRedisLedger({
    ...server,
    keyPrefix: redis.keyPrefix,
    scope,
    id: journal?.id,
    epoch: journal?.unfinished.hadCompany ? undefined : journal?.unfinished.epoch,
    lastEpoch: journal?.unfinished.epoch,
    absentMs: feed.absentMs,
    mayJoin: (life) => cache.tell(life),
    beforeForgetting: () => cache.voidAll(),
    onCompany: (others) => journal?.noteCompany(others),
    onOutage: (err) =>
      err
        ? logger.warn({ err }, 'cut off from the other gateways: the MLflow server answers instead of index and cache')
        : logger.info('takes part with the gateways that share index or cache'),
  });
}

/** What gateways share that have a cache in Redis and no index; undefined when this one has no such cache, or is alone. */
export function openCacheLedger(
  config: UpstreamConfig,
  secrets: Secrets,
  parts: Pick<LedgerParts, 'logger' | 'cache'>,
): (FeedLedger & Attendance) | undefined {
  if (config.cache.store === 'none' || config.cache.store === 'memory') return undefined;
  return openLedger(config, secrets, { scope: `cache-${shortHash(config.upstream.url)}`, ...parts });
}

const JOIN_POLL_MS = 20;

/** Resolves when the others know of this gateway, of which they rely on one thing alone: that it is there. */
export async function joinSilently(ledger: FeedLedger): Promise<void> {
  ledger.join(SILENT_MEMBER);
  while (!ledger.joined) await sleep(JOIN_POLL_MS, undefined, { ref: false });
}

const SILENT_MEMBER: LedgerMember = {
  unsettled: () => ({}),
  hear() {},
  hearEpoch() {},
  missed() {},
  adopt() {},
  hearRole() {},
};
