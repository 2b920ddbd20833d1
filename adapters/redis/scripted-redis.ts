import { hash } from 'node:crypto';
import type { Redis } from 'ioredis';
import { connectRedis } from './connect-redis.ts';
import { KEYS, SCRIPTS, type ScriptName } from './scripts.ts';

export interface ScriptedRedisOptions {
  readonly url: string;
  readonly password?: string | undefined;
  /** What the keys of one ledger have in common. */
  readonly slot: string;
  /** Of the gateway that calls. */
  readonly id: string;
  /** The connection is lost: what was sent may have been carried out, or may be still. */
  onLost(error: Error): void;
}

const COMMAND_MS = 500;

/** A Redis that is only asked to run the scripts of a ledger. */
export class ScriptedRedis {
  readonly #redis: Redis;
  readonly #keys: readonly string[];
  readonly #id: string;

  constructor({ url, password, slot, id, onLost }: ScriptedRedisOptions) {
    this.#id = id;
    this.#keys = KEYS.map((key) => `{${slot}}:${key}`);
    this.#redis = connectRedis({ url, password, commandTimeoutMs: COMMAND_MS, onError: onLost });
    this.#redis.on('close', () => onLost(new Error('The connection to Redis is closed.')));
  }

  /** Makes the scripts known, so that calls are carried out in the order they are made in. */
  async load(): Promise<void> {
    for (const { lua } of SCRIPTS) await this.#redis.script('LOAD', lua);
  }

  /** @throws what Redis or the script answers, or when that takes too long. */
  call(name: ScriptName, ...args: string[]): Promise<unknown> {
    return this.#redis.evalsha(HASHES[name], KEYS.length, ...this.#keys, this.#id, ...args);
  }

  close(): void {
    this.#redis.disconnect();
  }
}

const HASHES = Object.fromEntries(SCRIPTS.map(({ name, lua }) => [name, hash('sha1', lua)])) as Record<
  ScriptName,
  string
>;
