import { LRUCache } from 'lru-cache';

/**
 * The entries that were used last, so many at most. Room is taken as they come: with `max`, which counts them as well, the cache would
 * reserve it all at once, 3 MiB for 200,000.
 */
export const lru = <Key extends {}, Value extends {}>(most: number): LRUCache<Key, Value> =>
  new LRUCache({ maxSize: most, sizeCalculation: () => 1 });
