import { randomBytes } from 'node:crypto';
import type { Redis } from 'ioredis';
import { Breaker, type BreakerOptions } from '../../src/faults/breaker.ts';
import type { CacheStore } from '../../src/plan/cache-store.ts';
import { expand, shrink } from './compressed-value.ts';
import { connectRedis, type RedisConnection } from './connect-redis.ts';

export interface RedisStoreOptions extends Pick<BreakerOptions, 'onChange'>, RedisConnection {
  readonly keyPrefix: string;
  /** Longer values are compressed; 0 for none. */
  readonly compressFromBytes?: number;
}

/** How long a generation nobody asks for is kept, in s. Losing one costs a miss. */
const GENERATION_TTL_SECONDS = 86_400;
/** How long Redis is left alone after a failure at first, and at most, in ms. */
const FIRST_MS = 250;
const MAX_MS = 1_000;

/** Copies in Redis, shared by replicas. A Redis that is dead or slow fails every call within the command's time limit. */
export class RedisStore implements CacheStore {
  readonly name = 'redis';
  readonly #redis: Redis;
  readonly #prefix: string;
  readonly #compressFromBytes: number;
  readonly breaker: Breaker;

  constructor({ keyPrefix, compressFromBytes = 0, onChange, ...connection }: RedisStoreOptions) {
    this.#prefix = `${keyPrefix}:v2`;
    this.#compressFromBytes = compressFromBytes;
    this.#redis = connectRedis(connection);
    const probe = () => this.#redis.ping();
    this.breaker = new Breaker({
      ...(onChange && { onChange }),
      name: 'redis',
      probe,
      firstMs: FIRST_MS,
      maxMs: MAX_MS,
    });
  }

  async get(key: string): Promise<Buffer | undefined> {
    const value = await this.breaker.run(() => this.#redis.getBuffer(this.#entryKey(key)));
    return value === null ? undefined : expand(value);
  }

  async set(key: string, value: Buffer, ttlMs: number): Promise<void> {
    const shrunk = await shrink(value, this.#compressFromBytes);
    const batch = this.#redis.pipeline().set(this.#entryKey(key), shrunk, 'PX', ttlMs).del(this.#claimKey(key));
    await this.breaker.run(async () => valuesOf(await batch.exec()));
  }

  async claim(key: string, forMs: number): Promise<boolean> {
    const set = () => this.#redis.set(this.#claimKey(key), '', 'PX', forMs, 'NX');
    return (await this.breaker.run(set)) !== null;
  }

  async release(key: string): Promise<void> {
    await this.breaker.run(() => this.#redis.del(this.#claimKey(key)));
  }

  async generations(names: readonly string[]): Promise<readonly string[]> {
    const keys = names.map((name) => this.#generationKey(name));
    return this.breaker.run(async () => {
      const found = await this.#redis.mget(keys);
      return found.every((generation) => generation !== null) ? found : this.#begin(keys);
    });
  }

  async bump(names: readonly string[]): Promise<void> {
    const batch = this.#redis.pipeline();
    for (const name of names) batch.set(this.#generationKey(name), newToken(), 'EX', GENERATION_TTL_SECONDS);
    await this.breaker.run(async () => valuesOf(await batch.exec()));
  }

  async close(): Promise<void> {
    this.breaker.stop();
    this.#redis.disconnect();
  }

  /** Gives a generation to the names without one: whichever replica comes first says which. */
  async #begin(keys: readonly string[]): Promise<string[]> {
    const batch = this.#redis.pipeline();
    for (const key of keys) batch.set(key, newToken(), 'EX', GENERATION_TTL_SECONDS, 'NX');
    batch.mget([...keys]);
    const generations = valuesOf(await batch.exec()).at(-1) as (string | null)[];
    if (generations.some((generation) => generation === null)) throw new Error('Redis dropped a generation.');
    return generations as string[];
  }

  /** Generations share a hash slot, so that one MGET reads them from a cluster too. */
  #generationKey(name: string): string {
    return `${this.#prefix}:{generation}:${name}`;
  }

  #entryKey(key: string): string {
    return `${this.#prefix}:{${key}}`;
  }

  #claimKey(key: string): string {
    return `${this.#entryKey(key)}:claim`;
  }
}

const newToken = () => randomBytes(9).toString('base64url');

/** The values of a pipeline. @throws the first error in it. */
function valuesOf(results: [Error | null, unknown][] | null): unknown[] {
  return (results ?? []).map(([error, value]) => {
    if (error) throw error;
    return value;
  });
}
