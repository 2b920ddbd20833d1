import type { CacheStore } from '../plan/cache-store.ts';
import type { MemoryStore } from './memory-store.ts';

/**
 * A store that others read from, with copies of its entries in this process. Generations are those of the shared store, asked
 * for at every read: so no copy outlives a write that another gateway passed on.
 * @param lastsMs how long copies are held of what others stored; entries that end earlier say so themselves
 */
export const createTieredStore = (near: MemoryStore, shared: CacheStore, lastsMs: number): CacheStore => ({
  name: shared.name,
  ...(shared.breaker && { breaker: shared.breaker }),
  async get(key) {
    const copy = await near.get(key);
    if (copy) return copy;
    const found = await shared.get(key);
    if (!found) return undefined;
    // What a client of a store gives may be a part of something larger, which would be held as a whole.
    const value = Buffer.from(found);
    await near.set(key, value, lastsMs);
    return value;
  },
  async set(key, value, ttlMs) {
    await near.set(key, value, ttlMs);
    await shared.set(key, value, ttlMs);
  },
  claim: (key, forMs) => shared.claim(key, forMs),
  release: (key) => shared.release(key),
  generations: (names, life) => shared.generations(names, life),
  bump: (names, life) => shared.bump(names, life),
  async close() {
    await near.close();
    await shared.close();
  },
});
