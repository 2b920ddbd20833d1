import { RedisStore } from '../../adapters/redis/index.ts';
import { type CachedRead, createCachedRead, uncachedRead } from '../cache/cached-read.ts';
import { Invalidation } from '../cache/invalidation.ts';
import { MemoryStore } from '../cache/memory-store.ts';
import { createTieredStore } from '../cache/tiered-store.ts';
import type { Config } from '../config/schema.ts';
import type { Secrets } from '../config/secrets.ts';
import type { Breaker, OnBreakerChange } from '../faults/breaker.ts';
import type { Attendance } from '../plan/attendance.ts';
import type { CacheStore } from '../plan/cache-store.ts';
import { dependency } from '../plan/read.ts';
import type { RunDirectory } from '../plan/run-directory.ts';
import type { RunReader } from '../plan/run-reader.ts';
import type { WriteEffect } from '../plan/write-effect.ts';
import type { Logger } from '../telemetry/logger.ts';
import { redisServer } from './redis-server.ts';

export interface Cache {
  readonly name: string;
  readonly read: CachedRead;
  /** Of a store that is a service of its own. */
  readonly breaker?: Breaker | undefined;
  /** Told of a write before it is sent. */
  expect(effect: WriteEffect): void;
  /** Makes what a write changed unreachable. Never throws, and is bounded in time. */
  invalidate(effect: WriteEffect): Promise<void>;
  /** Tells the store, in this life of it, of writes that it could not be told of. @throws when it still cannot. */
  tell(life: string): Promise<void>;
  /** Makes everything unreachable that is stored. @throws when the store cannot be told. */
  voidAll(): Promise<void>;
  close(): Promise<void>;
}

export interface CacheParts {
  readonly directory: RunDirectory;
  readonly reader: RunReader;
  readonly logger: Logger;
  readonly onBreakerChange: OnBreakerChange;
  /** Aborts when the gateway is about to stop. */
  readonly signal: AbortSignal;
  /** The gateways that read from the same store. */
  attendance?(): Attendance | undefined;
}

const LOOKUP_TIMEOUT_MS = 10_000;

export function openCache(config: Config, secrets: Secrets, parts: CacheParts): Cache {
  const { directory, reader, logger } = parts;
  const store = openStore(config, secrets, parts);
  if (!store)
    return {
      name: 'none',
      read: uncachedRead,
      expect: () => {},
      invalidate: async () => {},
      tell: async () => {},
      voidAll: async () => {},
      close: async () => {},
    };
  const attendance = () => parts.attendance?.();
  const invalidation = new Invalidation({
    store,
    directory,
    experimentOf: (runId) => reader.experimentOf(runId, AbortSignal.timeout(LOOKUP_TIMEOUT_MS)),
    attendance,
    onOutage: (out) =>
      logger.warn(out ? 'the cache cannot be told of writes: not reading from it' : 'the cache is back'),
  });
  const read = createCachedRead({
    store,
    trusts: (names) => attendance()?.isFull !== false && invalidation.trusts(names),
    life: () => attendance()?.life,
    ...timesOf(config.cache),
    shareWaitMs: config.cache.shareWaitMs,
    maxEntryBytes: config.cache.maxEntryBytes,
    signal: parts.signal,
  });
  return {
    name: store.name,
    read,
    breaker: store.breaker,
    expect: (effect) => invalidation.expect(effect),
    invalidate: (effect) => invalidation.apply(effect),
    tell: (life) => invalidation.tell(life),
    voidAll: () => store.bump([dependency.backend], attendance()?.life),
    async close() {
      invalidation.close();
      await store.close();
    },
  };
}

function openStore(
  { cache, redis }: Config,
  secrets: Secrets,
  { logger, onBreakerChange }: CacheParts,
): CacheStore | undefined {
  if (cache.store === 'none') return undefined;
  const memory = cache.maxMemoryBytes > 0 ? new MemoryStore(cache.maxMemoryBytes) : undefined;
  const server = redisServer(redis, secrets);
  if (cache.store === 'memory' || server === undefined) return memory;
  // Attempts to connect go on, and fail alike.
  let lastError: string | undefined;
  const shared = new RedisStore({
    ...server,
    keyPrefix: redis.keyPrefix,
    compressFromBytes: cache.compressFromBytes,
    commandTimeoutMs: redis.commandTimeoutMs,
    onChange: onBreakerChange,
    onError(err) {
      if (err.message !== lastError) logger.warn({ err }, 'Redis cannot be used');
      lastError = err.message;
    },
  });
  if (!memory) return shared;
  const { ttlMs, staleWhileRevalidateMs, staleIfErrorMs } = timesOf(cache);
  return createTieredStore(memory, shared, ttlMs + Math.max(staleWhileRevalidateMs, staleIfErrorMs));
}

function timesOf({ ttlSeconds, ttlSecondsOf, staleWhileRevalidateSeconds, staleIfErrorSeconds }: Config['cache']) {
  return {
    ttlMs: ttlSeconds * 1_000,
    ttlMsOf: Object.fromEntries(
      Object.entries(ttlSecondsOf).map(([resource, seconds]) => [resource, (seconds ?? ttlSeconds) * 1_000]),
    ),
    staleWhileRevalidateMs: staleWhileRevalidateSeconds * 1_000,
    staleIfErrorMs: staleIfErrorSeconds * 1_000,
  };
}
