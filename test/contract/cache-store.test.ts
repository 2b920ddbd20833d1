import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RedisServer, RedisStore } from '../../adapters/redis/index.ts';
import { MemoryStore } from '../../src/cache/memory-store.ts';
import { createTieredStore } from '../../src/cache/tiered-store.ts';
import { OwnRedis } from '../fixtures/own-redis.ts';
import { RedisPair } from '../fixtures/redis-pair.ts';
import { startSecureRedis } from '../services/redis.ts';
import { startRedisCluster } from '../services/redis-cluster.ts';
import { itIsACacheStore } from './cache-store.ts';

describe('MemoryStore', () => itIsACacheStore(async () => new MemoryStore(1_000_000)));

interface Place {
  readonly server: RedisServer;
  stop(): Promise<void>;
}

/** What a gateway may do at least: `docs/cache.md`. */
const RULES = ['>its password', '~mode:*', '~{mode}:*', '+@all', '-@dangerous', '+info'];

const PLACES: readonly [string, () => Promise<Place>][] = [
  [
    'over TLS, with a user that may do little',
    async () => {
      const { url, ca, stop } = await startSecureRedis('gateway', RULES);
      return { server: { url, ca, username: 'gateway', password: 'its password' }, stop };
    },
  ],
  ['found by Sentinels', () => RedisPair.start()],
  [
    'in a cluster',
    async () => {
      const { nodes, stop } = await startRedisCluster();
      return { server: { url: nodes.slice(0, 2).map(({ url }) => url), mode: 'cluster' }, stop };
    },
  ],
];

describe.each(PLACES)('RedisStore %s', (_, start) => {
  let place: Place;
  beforeAll(async () => {
    place = await start();
  });
  afterAll(() => place.stop());

  const open = () => connected(new RedisStore({ ...place.server, keyPrefix: 'mode', commandTimeoutMs: 500 }));

  itIsACacheStore(open);
  itLetsOneFetch(open);
});

describe('RedisStore', () => {
  let redis: OwnRedis;
  beforeAll(async () => {
    redis = await OwnRedis.start();
  });
  afterAll(() => redis.stop());

  const open = (keyPrefix: string, compressFromBytes = 0) =>
    connected(new RedisStore({ url: redis.url, keyPrefix, commandTimeoutMs: 500, compressFromBytes }));

  it('carries out what it is asked for before it is connected', async () => {
    const store = new RedisStore({ url: redis.url, keyPrefix: 'early', commandTimeoutMs: 500 });
    await store.bump(['x']);
    expect(await store.generations(['x'])).toHaveLength(1);
    await store.close();
  });

  describe('alone', () => itIsACacheStore(() => open('alone')));
  describe('with compressed values', () => itIsACacheStore(() => open('compressed', 1)));
  describe('with copies in memory', () =>
    itIsACacheStore(async () => createTieredStore(new MemoryStore(1_000_000), await open('tiered'), 60_000)));

  describe('with long values', () => {
    const value = Buffer.from('{"metrics": 1}\n'.repeat(1_000));
    let stores: readonly RedisStore[];
    beforeAll(async () => {
      stores = [await open('long'), await open('long', value.length), await open('long', value.length + 1)];
    });
    afterAll(async () => {
      for (const store of stores) await store.close();
    });

    it('holds those compressed that are long enough, and any store reads them', async () => {
      const sizes: number[] = [];
      for (const [i, store] of stores.entries()) {
        await store.set(`${i}`, value, 60_000);
        for (const other of stores) expect(await other.get(`${i}`)).toEqual(value);
        sizes.push(Number(await command(redis, 'strlen', `long:v3:{${i}}`)));
      }
      expect(sizes).toEqual([value.length, expect.any(Number), value.length]);
      expect(sizes[1]).toBeLessThan(value.length / 10);
    });

    it('misses what cannot be expanded', async () => {
      await command(redis, 'set', 'long:v3:{broken}', Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0]));
      await expect(stores[0]?.get('broken')).rejects.toThrow();
    });
  });

  itLetsOneFetch(() => open('claims'));
});

function itLetsOneFetch(open: () => Promise<RedisStore>): void {
  it('lets one gateway at a time fetch, until it has stored or given up', async () => {
    const [one, two] = [await open(), await open()];
    const claims = () => Promise.all([two.claim('k', 60_000), two.claim('other', 60_000)]);
    expect(await one.claim('k', 60_000)).toBe(true);
    expect(await claims()).toEqual([false, true]);
    await one.set('k', Buffer.from('1'), 60_000);
    expect(await two.claim('k', 60_000)).toBe(true);
    await two.release('k');
    expect(await one.claim('k', 20)).toBe(true);
    await expect.poll(() => two.claim('k', 60_000)).toBe(true);
    for (const store of [one, two]) await store.close();
  });
}

/** What a client of Redis says to it. */
async function command({ url }: OwnRedis, name: string, ...args: (string | Buffer)[]): Promise<unknown> {
  const client = new Redis(url);
  try {
    return await client.call(name, ...args);
  } finally {
    client.disconnect();
  }
}

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
