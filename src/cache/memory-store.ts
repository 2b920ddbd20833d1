import { LRUCache } from 'lru-cache';
import { lru } from '../domain/lru.ts';
import type { CacheStore } from '../plan/cache-store.ts';

/** What an entry costs beside its key and value, roughly, in bytes. */
const OVERHEAD = 200;
/** Names with a generation; one that was forgotten gets a new one, which costs a miss. */
const MAX_GENERATIONS = 100_000;

/** Copies in this process, bounded by bytes. */
export class MemoryStore implements CacheStore {
  readonly name = 'memory';
  readonly #entries: LRUCache<string, Buffer>;
  readonly #generations = lru<string, string>(MAX_GENERATIONS);
  #lastGeneration = 0;

  constructor(maxBytes: number) {
    this.#entries = new LRUCache({
      maxSize: Math.max(1, maxBytes),
      // Two bytes a character is the most that V8 takes for a key.
      sizeCalculation: (value, key) => OVERHEAD + 2 * key.length + value.length,
    });
  }

  async get(key: string): Promise<Buffer | undefined> {
    return this.#entries.get(key);
  }

  async set(key: string, value: Buffer, ttlMs: number): Promise<void> {
    this.#entries.set(key, value, { ttl: ttlMs });
  }

  /** Nobody else reads from here. */
  async claim(): Promise<boolean> {
    return true;
  }

  async release(): Promise<void> {}

  async generations(names: readonly string[]): Promise<readonly string[]> {
    return names.map((name) => this.#generations.get(name) ?? this.#renew(name));
  }

  async bump(names: readonly string[]): Promise<void> {
    for (const name of names) this.#renew(name);
  }

  async close(): Promise<void> {
    this.#entries.clear();
  }

  #renew(name: string): string {
    const generation = String(++this.#lastGeneration);
    this.#generations.set(name, generation);
    return generation;
  }
}
