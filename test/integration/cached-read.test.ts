import { setImmediate } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { RedisStore } from '../../adapters/redis/index.ts';
import { type CacheDemand, type CachedReadOptions, createCachedRead, NO_DEMAND } from '../../src/cache/cached-read.ts';
import { MemoryStore } from '../../src/cache/memory-store.ts';
import { createTieredStore } from '../../src/cache/tiered-store.ts';
import { type ErrorCode, GatewayError } from '../../src/errors/gateway-error.ts';
import type { CacheStore } from '../../src/plan/cache-store.ts';
import type { PlannedRead, ReadAnswer } from '../../src/plan/read.ts';
import { OwnRedis } from '../fixtures/own-redis.ts';

const TTL_MS = 30_000;
const answering = (text: string): ReadAnswer => ({
  status: 200,
  contentType: 'application/json',
  body: Buffer.from(text),
  source: 'backend',
});

const failing = (code: ErrorCode) => (): never => {
  throw new GatewayError(code, 'It fails.');
};

/** A source that counts, and that answers when it is let. */
class Source {
  fetches = 0;
  value = 0;
  /** What to do instead of answering. */
  instead: (() => ReadAnswer) | undefined;
  gate: Promise<unknown> = Promise.resolve();

  readonly fetch = async (): Promise<ReadAnswer> => {
    this.fetches++;
    const { value } = this;
    await this.gate;
    return this.instead?.() ?? answering(`${value}`);
  };
}

type Settings = Partial<CachedReadOptions>;

function openReads(settings: Settings = {}, source = new Source()) {
  const store = settings.store ?? new MemoryStore(1_000_000);
  const options = { trusts: () => true, ttlMs: TTL_MS, maxEntryBytes: 1_000, ...settings, store };
  const cachedRead = createCachedRead(options);
  const read = async (demand: Partial<CacheDemand> = {}, plan: Partial<PlannedRead> = {}) => {
    const concern = { kind: 'experiments' } as const;
    const planned = { resource: 'run', concern, key: 'k', dependsOn: ['x'], fetch: source.fetch, ...plan } as const;
    const { body, cache, ageMs } = await cachedRead(planned, AbortSignal.timeout(10_000), { ...NO_DEMAND, ...demand });
    return [cache, `${body}`, ageMs];
  };
  return { read, source, store, write: () => store.bump(['x']) };
}

/** Lets the clock that entries are dated by go on; timers are those of the real one. */
function laterBy(ms: number): void {
  vi.setSystemTime(Date.now() + ms);
}

afterEach(() => {
  vi.useRealTimers();
});

describe('reads of the same at the same time', () => {
  it('are one fetch', async () => {
    const { read, source } = openReads();
    const seen = await Promise.all(Array.from({ length: 20 }, () => read()));
    expect(seen).toEqual(Array(20).fill(['MISS', '0', undefined]));
    expect(source.fetches).toBe(1);
  });

  it('are two when a write was acknowledged between them', async () => {
    const { read, source, write } = openReads();
    const gate = Promise.withResolvers<void>();
    source.gate = gate.promise;
    const before = read();
    await vi.waitFor(() => expect(source.fetches).toBe(1));
    source.value = 1;
    await write();
    const after = read();
    await vi.waitFor(() => expect(source.fetches).toBe(2));
    gate.resolve();
    expect(await before).toEqual(['MISS', '0', undefined]);
    expect(await after).toEqual(['MISS', '1', undefined]);
    expect(await read()).toEqual(['HIT', '1', expect.any(Number)]);
  });

  it('are two when one puts up with less', async () => {
    const { read, source } = openReads();
    await Promise.all([read({ consistency: 'eventual' }), read({ consistency: 'strict' })]);
    expect(source.fetches).toBe(2);
  });

  it('fail together, and not for those who come later', async () => {
    const { read, source } = openReads();
    source.instead = failing('INTERNAL_ERROR');
    const seen = await Promise.allSettled([read(), read()]);
    expect(seen.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect(source.fetches).toBe(1);
    source.instead = undefined;
    expect(await read()).toEqual(['MISS', '0', undefined]);
  });
});

describe('a read that was looked for before', () => {
  it('asks for the answer and the generations at once, and believes it only with them', async () => {
    const near = new MemoryStore(1_000_000);
    let gate = Promise.withResolvers<void>();
    let gets = 0;
    const store: CacheStore = {
      name: 'slow',
      get: (key) => {
        gets++;
        return near.get(key);
      },
      set: (key, value, ttlMs) => near.set(key, value, ttlMs),
      claim: () => near.claim(),
      release: () => near.release(),
      generations: async (names) => {
        await gate.promise;
        return near.generations(names);
      },
      bump: (names) => near.bump(names),
      close: () => near.close(),
    };
    gate.resolve();
    const { read, source, write } = openReads({ store });
    const outcome = async () => (await read()).slice(0, 2);
    expect(await outcome()).toEqual(['MISS', '0']);
    for (const isWritten of [false, true]) {
      gate = Promise.withResolvers();
      gets = 0;
      const answer = outcome();
      expect(gets).toBe(1);
      source.value = 1;
      if (isWritten) await write();
      gate.resolve();
      expect(await answer).toEqual(isWritten ? ['MISS', '1'] : ['HIT', '0']);
    }
    expect(await outcome()).toEqual(['HIT', '1']);
  });
});

describe('what a caller asks of the cache', () => {
  it('no old answer: it is fetched for this caller alone, and stored for others', async () => {
    const { read, source } = openReads();
    await read();
    source.value = 1;
    expect(await Promise.all([read({ maxAgeMs: 0 }), read({ maxAgeMs: 0 })])).toEqual(
      Array(2).fill(['MISS', '1', undefined]),
    );
    expect(source.fetches).toBe(3);
    expect(await read()).toEqual(['HIT', '1', expect.any(Number)]);
  });

  it('none that is older than so many seconds', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    const { read, source } = openReads();
    await read();
    source.value = 1;
    laterBy(5_000);
    expect(await read({ maxAgeMs: 5_000 })).toEqual(['HIT', '0', 5_000]);
    laterBy(1);
    expect(await read({ maxAgeMs: 5_000 })).toEqual(['MISS', '1', undefined]);
  });

  it('to have nothing to do with it', async () => {
    const { read, source } = openReads();
    expect(await read({ mayStore: false, maxAgeMs: 0 })).toEqual(['BYPASS', '0', undefined]);
    await read();
    expect(source.fetches).toBe(2);
    expect(await read({ mayStore: false, maxAgeMs: 0 })).toEqual(['BYPASS', '0', undefined]);
  });
});

describe('an answer that is past its time', () => {
  const past = async (settings: Settings, ms: number) => {
    vi.useFakeTimers({ toFake: ['Date'] });
    const opened = openReads(settings);
    await opened.read();
    opened.source.value = 1;
    laterBy(TTL_MS + ms);
    return opened;
  };
  it('is given to the last ms of its time', async () => {
    const { read } = await past({}, 0);
    expect(await read()).toEqual(['HIT', '0', TTL_MS]);
    laterBy(1);
    expect(await read()).toEqual(['MISS', '1', undefined]);
  });

  it('has the time of what it is about', async () => {
    const { read, source } = openReads({ ttlMsOf: { metricHistory: 0 } });
    const history = { resource: 'metricHistory' } as const;
    for (let i = 0; i < 2; i++) expect(await read({}, history)).toEqual(['MISS', '0', undefined]);
    expect(source.fetches).toBe(2);
  });

  it('is given while a new one is fetched, once', async () => {
    const { read, source } = await past({ staleWhileRevalidateMs: 1_000 }, 1_000);
    const gate = Promise.withResolvers<void>();
    source.gate = gate.promise;
    for (let i = 0; i < 3; i++) expect(await read()).toEqual(['STALE', '0', TTL_MS + 1_000]);
    gate.resolve();
    // It is stored in this turn.
    await setImmediate();
    expect(await read()).toEqual(['HIT', '1', 0]);
    expect(source.fetches).toBe(2);
  });

  it.each<[string, Settings, number, Partial<CacheDemand>]>([
    ['it is too long past it', { staleWhileRevalidateMs: 1_000 }, 1_001, {}],
    ['the caller said how old it may be', { staleWhileRevalidateMs: 1_000 }, 500, { maxAgeMs: 86_400_000 }],
    ['nothing was said of it', {}, 1, {}],
  ])('is not given when %s', async (_, settings, ms, demand) => {
    const { read } = await past(settings, ms);
    expect(await read(demand)).toEqual(['MISS', '1', undefined]);
  });

  it('is never given after a write', async () => {
    const { read, write, source } = await past({ staleWhileRevalidateMs: 1_000, staleIfErrorMs: 1_000 }, 500);
    await write();
    expect(await read()).toEqual(['MISS', '1', undefined]);
    await write();
    source.instead = failing('TEMPORARILY_UNAVAILABLE');
    await expect(read()).rejects.toMatchObject({ code: 'TEMPORARILY_UNAVAILABLE' });
  });

  it.each<[string, () => ReadAnswer]>([
    ['cannot be reached', failing('TEMPORARILY_UNAVAILABLE')],
    ['is silent', failing('DEADLINE_EXCEEDED')],
    ['is said to be away', () => ({ ...answering('Bad Gateway'), status: 502 })],
  ])('is given when the backend %s', async (_, instead) => {
    const { read, source } = await past({ staleIfErrorMs: 1_000 }, 1_000);
    source.instead = instead;
    expect(await read()).toEqual(['STALE', '0', TTL_MS + 1_000]);
    laterBy(1);
    const [late] = await Promise.allSettled([read()]);
    expect(late).not.toMatchObject({ value: ['STALE', '0', TTL_MS + 1_001] });
  });

  it('is not given when the backend answers with an error of its own', async () => {
    const { read, source } = await past({ staleIfErrorMs: 1_000 }, 500);
    source.instead = () => ({ ...answering('no such run'), status: 404 });
    expect(await read()).toEqual(['MISS', 'no such run', undefined]);
    source.instead = () => {
      throw new Error('ours');
    };
    await expect(read()).rejects.toThrow('ours');
  });
});

describe('two gateways with one Redis', () => {
  let redis: OwnRedis;
  let stores: CacheStore[];
  let names = 0;

  beforeAll(async () => {
    redis = await OwnRedis.start();
  });
  afterEach(async () => {
    for (const store of stores) await store.close();
  });
  afterAll(() => redis.stop());

  /** Each with a prefix of this test's own. */
  async function openBoth(settings: Settings, near?: () => MemoryStore) {
    const source = new Source();
    const keyPrefix = `shared-${names++}`;
    const shared = [0, 1].map(() => new RedisStore({ url: redis.url, keyPrefix, commandTimeoutMs: 1_000 }));
    for (const store of shared) await vi.waitFor(() => store.generations(['x']), { timeout: 10_000 });
    stores = shared.map((store) => (near ? createTieredStore(near(), store, TTL_MS) : store));
    const gateways = stores.map((store) => openReads({ shareWaitMs: 5_000, ...settings, store }, source));
    return { source, one: gateways[0] as (typeof gateways)[0], two: gateways[1] as (typeof gateways)[0] };
  }

  it('fetch once what both are asked for at the same time', async () => {
    const { source, one, two } = await openBoth({});
    const gate = Promise.withResolvers<void>();
    source.gate = gate.promise;
    const first = one.read();
    await vi.waitFor(() => expect(source.fetches).toBe(1));
    const second = two.read();
    setTimeout(gate.resolve, 100);
    expect([await first, await second]).toEqual([
      ['MISS', '0', undefined],
      ['MISS', '0', expect.any(Number)],
    ]);
    expect(source.fetches).toBe(1);
  });

  it('wait for each other no longer than they are told', async () => {
    const { source, one, two } = await openBoth({ shareWaitMs: 50 });
    const gate = Promise.withResolvers<void>();
    source.gate = gate.promise;
    const reads = [one.read(), two.read()];
    await vi.waitFor(() => expect(source.fetches).toBe(2));
    gate.resolve();
    for (const read of reads) expect(await read).toEqual(['MISS', '0', undefined]);
  });

  it.each<[string, () => ReadAnswer]>([
    ['fails', failing('TEMPORARILY_UNAVAILABLE')],
    ['is not stored', () => answering('x'.repeat(1_001))],
  ])('do not wait for an answer that %s', async (_, instead) => {
    const { source, one, two } = await openBoth({ shareWaitMs: 60_000 });
    const gate = Promise.withResolvers<void>();
    source.gate = gate.promise;
    source.instead = instead;
    const reads = Promise.allSettled([one.read(), two.read()]);
    await vi.waitFor(() => expect(source.fetches).toBe(1));
    gate.resolve();
    await reads;
    expect(source.fetches).toBe(2);
  });

  it('have copies of their own, which a write to the other makes void', async () => {
    const { source, one, two } = await openBoth({}, () => new MemoryStore(1_000_000));
    await one.read();
    await vi.waitFor(async () => expect(await two.read()).toEqual(['HIT', '0', expect.any(Number)]));
    expect(await two.read()).toEqual(['HIT', '0', expect.any(Number)]);
    source.value = 1;
    await one.write();
    expect(await two.read()).toEqual(['MISS', '1', undefined]);
    expect(source.fetches).toBe(2);
  });
});
