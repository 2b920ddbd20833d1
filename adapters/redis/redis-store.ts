import { randomBytes } from 'node:crypto';
import { Breaker, type BreakerOptions } from '../../src/faults/breaker.ts';
import type { CacheStore } from '../../src/plan/cache-store.ts';
import { expand, shrink } from './compressed-value.ts';
import { connectRedis, type RedisClient, type RedisConnection, untilOpened } from './connect-redis.ts';
import { READ_GENERATIONS, RENEW_GENERATIONS } from './generation-scripts.ts';
import { runScript, type Script, scriptOf } from './run-script.ts';

export interface RedisStoreOptions extends Pick<BreakerOptions, 'onChange'>, RedisConnection {
  readonly keyPrefix: string;
  /** Longer values are compressed; 0 for none. */
  readonly compressFromBytes?: number;
}

const READ = scriptOf(READ_GENERATIONS);
const RENEW = scriptOf(RENEW_GENERATIONS);
/** How long Redis is left alone after a failure at first, and at most, in ms. */
const FIRST_MS = 250;
const MAX_MS = 1_000;
/** How long the first commands wait for the connection, in ms. */
const OPENING_MS = 500;

/** Copies in Redis, shared by replicas. A Redis that is dead or slow fails every call within the command's time limit. */
export class RedisStore implements CacheStore {
  readonly name = 'redis';
  readonly #redis: RedisClient;
  readonly #home: string;
  readonly #prefix: string;
  readonly #compressFromBytes: number;
  readonly breaker: Breaker;
  /** Until the first connection: what is asked before waits for it. */
  #opening: Promise<void> | undefined;

  constructor({ keyPrefix, compressFromBytes = 0, onChange, ...connection }: RedisStoreOptions) {
    this.#prefix = `${keyPrefix}:v3`;
    this.#home = `{${keyPrefix}}:v3:generation`;
    this.#compressFromBytes = compressFromBytes;
    this.#redis = connectRedis(connection);
    this.#opening = untilOpened(this.#redis, OPENING_MS).finally(() => {
      this.#opening = undefined;
    });
    const probe = () => this.#redis.exists(this.#generationKey(''));
    this.breaker = new Breaker({
      ...(onChange && { onChange }),
      name: 'redis',
      probe,
      firstMs: FIRST_MS,
      maxMs: MAX_MS,
    });
  }

  async get(key: string): Promise<Buffer | undefined> {
    const value = await this.#ask(() => this.#redis.getBuffer(this.#entryKey(key)));
    return value === null ? undefined : expand(value);
  }

  async set(key: string, value: Buffer, ttlMs: number): Promise<void> {
    const shrunk = await shrink(value, this.#compressFromBytes);
    const batch = this.#redis.pipeline().set(this.#entryKey(key), shrunk, 'PX', ttlMs).del(this.#claimKey(key));
    await this.#ask(async () => valuesOf(await batch.exec()));
  }

  async claim(key: string, forMs: number): Promise<boolean> {
    const set = () => this.#redis.set(this.#claimKey(key), '', 'PX', forMs, 'NX');
    return (await this.#ask(set)) !== null;
  }

  async release(key: string): Promise<void> {
    await this.#ask(() => this.#redis.del(this.#claimKey(key)));
  }

  async generations(names: readonly string[], life = ''): Promise<readonly string[]> {
    const [lived, ...generations] = (await this.#run(READ, names, life)) as [string, ...string[]];
    return generations.map((generation) => `${lived} ${generation}`);
  }

  async bump(names: readonly string[], life = ''): Promise<void> {
    await this.#run(RENEW, names, life);
  }

  async close(): Promise<void> {
    this.breaker.stop();
    this.#redis.disconnect();
  }

  #ask<T>(command: () => Promise<T>, isOutage?: (error: unknown) => boolean): Promise<T> {
    const opening = this.#opening;
    return this.breaker.run(opening === undefined ? command : () => opening.then(command), isOutage);
  }

  #run(script: Script, names: readonly string[], life: string): Promise<unknown> {
    const keys = names.map((name) => this.#generationKey(name));
    return this.#ask(() => runScript(this.#redis, script, keys, [newToken(), life]), isOutage);
  }

  /** Generations share a slot of a cluster with each other, and with the ledgers under this prefix: one node has the last word. */
  #generationKey(name: string): string {
    return `${this.#home}:${name}`;
  }

  #entryKey(key: string): string {
    return `${this.#prefix}:{${key}}`;
  }

  #claimKey(key: string): string {
    return `${this.#entryKey(key)}:claim`;
  }
}

const PROCESS = randomBytes(9).toString('base64url');
let tokens = 0;
/** Never the same twice, here or elsewhere. */
const newToken = () => `${PROCESS}${(tokens++).toString(36)}`;

/** That Redis is another one than the caller took it for says nothing of how it is. */
const isOutage = (error: unknown) => !(error as Error).message.startsWith('ELSEWHERE');

/** The values of a pipeline. @throws the first error in it. */
function valuesOf(results: [Error | null, unknown][] | null): unknown[] {
  return (results ?? []).map(([error, value]) => {
    if (error) throw error;
    return value;
  });
}
