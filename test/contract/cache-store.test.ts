import { afterAll, beforeAll, describe } from 'vitest';
import { RedisStore } from '../../adapters/redis/index.ts';
import { MemoryStore } from '../../src/cache/memory-store.ts';
import { OwnRedis } from '../fixtures/own-redis.ts';
import { itIsACacheStore } from './cache-store.ts';

describe('MemoryStore', () => itIsACacheStore(async () => new MemoryStore(1_000_000)));

describe('RedisStore', () => {
  let redis: OwnRedis;
  beforeAll(async () => {
    redis = await OwnRedis.start();
  });
  afterAll(() => redis.stop());

  itIsACacheStore(async () => connected(new RedisStore({ url: redis.url, keyPrefix: 'test', commandTimeoutMs: 500 })));
});

/** Waits until commands get through. */
async function connected(store: RedisStore): Promise<RedisStore> {
  for (;;) {
    const works = await store.get('').then(
      () => true,
      () => false,
    );
    if (works) return store;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
