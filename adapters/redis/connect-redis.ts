import { Redis } from 'ioredis';

export interface RedisConnection {
  readonly url: string;
  readonly password?: string | undefined;
  /** A command that takes longer has failed, in ms. */
  readonly commandTimeoutMs: number;
  /** Told of failed and lost connections; may be called often. */
  onError?(error: Error): void;
}

/** After such a silence on a connection that was asked something, it counts as lost, in ms. */
const SILENCE_MS = 2_000;
const FIRST_RETRY_MS = 50;
const MAX_RETRY_MS = 1_000;
const DOUBLINGS = 5;

/** Connects, and again whenever the connection is lost. Nothing waits for a connection, and nothing is sent twice. */
export function connectRedis({ url, password, commandTimeoutMs, onError }: RedisConnection): Redis {
  const redis = new Redis(url, {
    ...(password !== undefined && { password }),
    commandTimeout: commandTimeoutMs,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    socketTimeout: SILENCE_MS,
    retryStrategy: (attempt) => Math.min(FIRST_RETRY_MS * 2 ** Math.min(attempt, DOUBLINGS), MAX_RETRY_MS),
  });
  redis.on('error', (error: Error) => onError?.(error));
  return redis;
}
