import { hash } from 'node:crypto';
import { Cluster } from 'ioredis';
import { connectRedis, type RedisClient } from './connect-redis.ts';
import type { RedisServer } from './redis-server.ts';
import { KEYS, SCRIPTS, type ScriptName } from './scripts.ts';

export interface ScriptedRedisOptions {
  readonly server: RedisServer;
  /** What the keys of one ledger begin with: with a hash tag, so that one node of a cluster has them. */
  readonly prefix: string;
  /** Of the gateway that calls. */
  readonly id: string;
  /** The connection is lost: what was sent may have been carried out, or may be still. */
  onLost(error: Error): void;
}

const COMMAND_MS = 500;

/** A Redis that is only asked to run the scripts of a ledger. */
export class ScriptedRedis {
  readonly #redis: RedisClient;
  readonly #keys: readonly string[];
  readonly #id: string;

  constructor({ server, prefix, id, onLost }: ScriptedRedisOptions) {
    this.#id = id;
    this.#keys = KEYS.map((key) => `${prefix}:${key}`);
    this.#redis = connectRedis({ ...server, commandTimeoutMs: COMMAND_MS, onError: onLost });
    this.#redis.on('close', () => onLost(new Error('The connection to Redis is closed.')));
  }

  /**
   * Makes the scripts known, so that calls are carried out in the order they are made in. To every node of a cluster: which one has
   * the ledger may change. One that does not know them makes a call fail.
   */
  async load(): Promise<void> {
    const nodes = this.#redis instanceof Cluster ? this.#redis.nodes('master') : [this.#redis];
    const load = async (node: (typeof nodes)[number]) => {
      for (const { lua } of SCRIPTS) await node.script('LOAD', lua);
    };
    const loaded = await Promise.allSettled(nodes.map(load));
    const failures = loaded.filter((end) => end.status === 'rejected');
    // Another node than the ledger's may be down.
    if (failures[0] && failures.length === loaded.length) throw failures[0].reason;
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
