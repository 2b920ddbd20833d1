import { afterEach, describe, expect, it } from 'vitest';
import { RedisStore, type RedisStoreOptions } from '../../adapters/redis/index.ts';
import { MemoryStore } from '../../src/cache/memory-store.ts';
import { createTieredStore } from '../../src/cache/tiered-store.ts';
import type { CacheStore } from '../../src/plan/cache-store.ts';
import { dependency } from '../../src/plan/read.ts';
import { openBackend, RUN } from '../fixtures/cached-backend.ts';
import { OwnRedis } from '../fixtures/own-redis.ts';
import { RedisPair } from '../fixtures/redis-pair.ts';
import { askRedis } from '../services/redis.ts';

const closing: (() => unknown)[] = [];

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function openRedis(): Promise<OwnRedis> {
  const redis = await OwnRedis.start();
  closing.push(() => redis.stop());
  return redis;
}

function openStore(options: Omit<RedisStoreOptions, 'keyPrefix' | 'commandTimeoutMs'>): RedisStore {
  const store = new RedisStore({ ...options, keyPrefix: 'lives', commandTimeoutMs: 500 });
  closing.push(() => store.close());
  return store;
}

const eventually = <T>(check: () => Promise<T>) => expect.poll(check, { timeout: 20_000, interval: 20 });

/** A value that is kept in the cache, and everything that is read of it. */
function openValue(store: CacheStore) {
  const backend = openBackend(store);
  closing.push(() => backend.invalidation.close());
  const seen = new Set<string>();
  const readUntilHit = () =>
    eventually(async () => {
      const { cache, body } = await backend.read();
      seen.add(body);
      return cache;
    }).toBe('HIT');
  const write = () => backend.write({ runs: [{ runId: RUN, experimentId: '7' }] });
  return { seen, readUntilHit, write };
}

describe('a Redis that comes back with what it had saved before a write', () => {
  it.each([
    ['alone', (store: RedisStore): CacheStore => store],
    ['with copies in memory', (store: RedisStore) => createTieredStore(new MemoryStore(1_000_000), store, 60_000)],
  ])('gives no answer from before that write, %s', async (_, around) => {
    const redis = await openRedis();
    const { seen, readUntilHit, write } = openValue(around(openStore({ url: redis.url })));
    await readUntilHit();
    const dump = await redis.save();
    await write();
    seen.clear();
    await redis.kill();
    await redis.restart(dump);
    await readUntilHit();
    expect([...seen]).toEqual(['{"v":1}']);
  });
});

describe('a replica that is made the master and lacks the last writes', () => {
  async function openPair(): Promise<RedisPair> {
    const pair = await RedisPair.start();
    closing.push(() => pair.stop());
    return pair;
  }

  it('gives no answer from before such a write', async () => {
    const pair = await openPair();
    const { seen, readUntilHit, write } = openValue(openStore(pair.server));
    await readUntilHit();
    const generationAt = (port: number) => askRedis(port, `GET {lives}:v3:generation:${dependency.runsOf('7')}`);
    const before = await generationAt(pair.masterPort);
    await expect.poll(() => generationAt(pair.replicaPort)).toBe(before);
    await pair.partReplica();
    await write();
    seen.clear();
    await readUntilHit();
    expect(await generationAt(pair.masterPort)).not.toBe(before);
    pair.killMaster();
    await pair.untilPromoted();
    expect(await generationAt(pair.replicaPort)).toBe(before);
    await readUntilHit();
    expect([...seen]).toEqual(['{"v":1}']);
  });
});
