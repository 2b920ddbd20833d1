import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { Cluster, Redis } from 'ioredis';
import type { RedisServer } from './redis-server.ts';

export interface RedisConnection extends RedisServer {
  /** A command that takes longer has failed, in ms. */
  readonly commandTimeoutMs: number;
  /** Told of failed and lost connections; may be called often. */
  onError?(error: Error): void;
}

/** What runs commands: in a cluster, on the node of their keys. */
export type RedisClient = Redis | Cluster;

/** After such a silence on a connection that was asked something, it counts as lost, in ms. */
const SILENCE_MS = 2_000;
const CONNECT_MS = 2_000;
const FIRST_RETRY_MS = 50;
const MAX_RETRY_MS = 1_000;
const DOUBLINGS = 5;
/** What a Sentinel may take for an answer, in ms: one that hangs is passed over. */
const SENTINEL_MS = 500;
/** A command goes to a second node when the first says where its key is now, and to a third. */
const REDIRECTIONS = 3;

const waitBefore = (attempt: number) => Math.min(FIRST_RETRY_MS * 2 ** Math.min(attempt, DOUBLINGS), MAX_RETRY_MS);

/** Connects, and again whenever the connection is lost. Nothing waits for a connection, and nothing is carried out twice. */
export function connectRedis(connection: RedisConnection): RedisClient {
  const redis = clientOf(connection);
  redis.on('error', (error: Error) => connection.onError?.(error));
  // Of single nodes; the ones that are left may serve on.
  redis.on('node error', (error: Error) => connection.onError?.(error));
  return redis;
}

/** Resolves when it is connected or has failed to be, and in this time at most, in ms: nothing waits for a connection after that. */
export async function untilOpened(redis: RedisClient, ms: number): Promise<void> {
  const ended = new AbortController();
  const { signal } = ended;
  const events = ['ready', 'error', 'close'].map((event) => once(redis, event, { signal }).catch(() => undefined));
  await Promise.race([...events, sleep(ms, undefined, { signal, ref: false }).catch(() => undefined)]);
  ended.abort();
}

function clientOf(connection: RedisConnection): RedisClient {
  const { url, mode = 'standalone', sentinelName = '', sentinelPassword, database } = connection;
  const urls = [url].flat();
  const options = commonOptionsOf(connection, urls);
  if (mode === 'cluster')
    return new Cluster(urls.map(addressOf(6379)), {
      redisOptions: options,
      enableOfflineQueue: false,
      clusterRetryStrategy: waitBefore,
      maxRedirections: REDIRECTIONS,
      // A command whose connection was lost may have been carried out.
      retryDelayOnFailover: 0,
      retryDelayOnClusterDown: 0,
      slotsRefreshTimeout: CONNECT_MS,
    });
  const single = {
    ...options,
    ...(database !== undefined && { db: database }),
    enableOfflineQueue: false,
    retryStrategy: waitBefore,
  };
  if (mode === 'standalone') return new Redis(urls[0] ?? '', single);
  return new Redis({
    ...single,
    sentinels: urls.map(addressOf(26379)),
    name: sentinelName,
    ...(sentinelPassword !== undefined && { sentinelPassword }),
    ...(options.tls && { sentinelTLS: options.tls, enableTLSForSentinelMode: true }),
    sentinelCommandTimeout: SENTINEL_MS,
    sentinelRetryStrategy: waitBefore,
  });
}

function commonOptionsOf(
  { username, password, ca, rejectUnauthorized = true, commandTimeoutMs }: RedisConnection,
  urls: readonly string[],
) {
  const isSecure = urls.some((url) => url.startsWith('rediss:'));
  return {
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
    ...(isSecure && { tls: { rejectUnauthorized, ...(ca !== undefined && { ca }) } }),
    commandTimeout: commandTimeoutMs,
    connectTimeout: CONNECT_MS,
    socketTimeout: SILENCE_MS,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    // It was made a replica of another one, which the address may lead to by now.
    reconnectOnError: ({ message }: Error) => message.startsWith('READONLY'),
  };
}

const addressOf = (defaultPort: number) => (url: string) => {
  const { hostname, port } = new URL(url);
  return { host: hostname.replace(/^\[|\]$/g, ''), port: Number(port || defaultPort) };
};
