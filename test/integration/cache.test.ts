import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { RedisStore } from '../../adapters/redis/index.ts';
import { MemoryStore } from '../../src/cache/memory-store.ts';
import { dependency, type ReadAnswer } from '../../src/plan/read.ts';
import { NO_EFFECT, type WriteEffect } from '../../src/plan/write-effect.ts';
import { openBackend, RUN } from '../fixtures/cached-backend.ts';
import { OwnRedis } from '../fixtures/own-redis.ts';

describe('a read through the cache', () => {
  const open = () => openBackend(new MemoryStore(1_000_000));

  it('is fetched once, then found, with the same bytes', async () => {
    const { read, state } = open();
    const first = await read();
    const second = await read();
    expect(first).toMatchObject({ cache: 'MISS', source: 'index', body: '{"v":0}' });
    expect(second).toEqual({ ...first, cache: 'HIT', ageMs: expect.any(Number) });
    expect(state.fetches).toBe(1);
  });

  it('is not stored unless its status is 200', async () => {
    const { read, state } = open();
    state.status = 404;
    await read();
    expect((await read()).cache).toBe('MISS');
  });

  it('is not stored when the index was behind', async () => {
    const { read, state } = open();
    const answer = { status: 200, contentType: 'application/json', body: Buffer.from('{}'), source: 'index' } as const;
    for (const [lagMs, cache] of [
      [1, 'MISS'],
      [0, 'MISS'],
      [0, 'HIT'],
    ] as const)
      expect(await read({ fetch: async () => ({ ...answer, lagMs }) })).toMatchObject({ cache });
    expect(state.fetches).toBe(0);
  });

  it('is not stored when it is long', async () => {
    const { read } = open();
    const fetch = async (): Promise<ReadAnswer> => ({
      status: 200,
      contentType: 'application/json',
      body: Buffer.alloc(1_001),
      source: 'backend',
    });
    await read({ fetch });
    expect((await read({ fetch })).cache).toBe('MISS');
  });

  it('does not store an answer where a write that overtook it would find it', async () => {
    const { read, write } = open();
    let release: (answer: ReadAnswer) => void = () => undefined;
    const slow = read({ fetch: () => new Promise((resolve) => (release = resolve)) });
    await sleep(0);
    await write({ runs: [{ runId: RUN, experimentId: '7' }] });
    release({ status: 200, contentType: 'application/json', body: Buffer.from('{"v":0}'), source: 'backend' });
    await slow;
    expect((await read()).body).toBe('{"v":1}');
  });

  it.each<[string, Partial<WriteEffect>, string[], boolean]>([
    ['a run of the experiment', { runs: [{ runId: RUN, experimentId: '7' }] }, [dependency.runsOf('7')], true],
    ['a run of another experiment', { runs: [{ runId: RUN, experimentId: '8' }] }, [dependency.runsOf('7')], false],
    ['the run itself', { runs: [{ runId: RUN, experimentId: '8' }] }, [dependency.run(RUN)], true],
    ['an experiment with all its runs', { experimentsWithChangedRuns: ['7'] }, [dependency.runsOf('7')], true],
    ['the tags of an experiment', { experimentsChanged: true }, [dependency.experiments], true],
    ['the tags of an experiment', { experimentsChanged: true }, [dependency.runsOf('7')], false],
    ['a new experiment', { createdExperiments: ['9'] }, [dependency.experiments], true],
    ['what cannot be told', { unknown: true }, [dependency.backend], true],
    ['nothing', {}, [dependency.backend, dependency.experiments, dependency.run(RUN)], false],
  ])('after a write to %s (%j) that depends on %j is fetched again: %s', async (_, effect, dependsOn, again) => {
    const { read, write, state } = open();
    state.dependsOn = dependsOn;
    await read();
    await write(effect);
    expect((await read()).cache).toBe(again ? 'MISS' : 'HIT');
  });

  it('after a write to a run nobody knows is fetched again, and the next write knows the run', async () => {
    const { read, write, directory, lookedUp } = open();
    await read();
    await write({ runs: [{ runId: RUN }] });
    expect((await read()).cache).toBe('MISS');
    expect(directory.experimentOf(RUN)).toBe('7');
    await write({ runs: [{ runId: RUN }] });
    expect(lookedUp).toEqual([RUN]);
    expect((await read()).body).toBe('{"v":2}');
  });

  it.each<[string, () => Promise<string | undefined>, 'HIT' | 'MISS']>([
    ['leaves other experiments alone when that is found out', async () => '7', 'HIT'],
    ['leaves none alone when there is none', async () => undefined, 'MISS'],
    ['leaves none alone when it cannot be found out', () => Promise.reject(new Error('down')), 'MISS'],
    ['leaves none alone when it takes too long', () => new Promise(() => undefined), 'MISS'],
  ])('after a write to a run whose experiment nobody knows %s', async (_, homeOf, cache) => {
    const { read, write, state } = openBackend(new MemoryStore(1_000_000), homeOf);
    state.dependsOn = [dependency.backend, dependency.runsOf('8')];
    await read();
    await write({ runs: [{ runId: RUN }] });
    expect((await read()).cache).toBe(cache);
  });

  it('asks once which experiment a run belongs to, from when the write is expected', async () => {
    const home = Promise.withResolvers<string>();
    const { write, invalidation, lookedUp, directory } = openBackend(new MemoryStore(1_000_000), () => home.promise);
    const effect = { ...NO_EFFECT, runs: [{ runId: RUN }] };
    invalidation.expect(effect);
    const written = write(effect);
    home.resolve('7');
    await written;
    expect(directory.experimentOf(RUN)).toBe('7');
    invalidation.expect(effect);
    await write(effect);
    expect(lookedUp).toEqual([RUN]);
  });

  it('passes the cache by while a write may still be carried out', async () => {
    const { read, write, state } = open();
    await write({ runs: [{ runId: RUN, experimentId: '7' }], uncertain: true });
    await read();
    state.value = 99;
    expect(await read()).toMatchObject({ cache: 'BYPASS', body: '{"v":99}' });
  });
});

/** A store that is told of writes when the test says so. */
class GatedStore extends MemoryStore {
  readonly bumps: PromiseWithResolvers<void>[] = [];

  override async bump(names: readonly string[]): Promise<void> {
    const gate = Promise.withResolvers<void>();
    this.bumps.push(gate);
    await gate.promise;
    await super.bump(names);
  }
}

describe('a store that takes what it is told late', () => {
  it('is not trusted until it was told of the youngest write', async () => {
    const store = new GatedStore(1_000_000);
    const { write, invalidation, outages } = openBackend(store);
    const effect = { runs: [{ runId: RUN, experimentId: '7' }] };
    const fail = () => store.bumps.shift()?.reject(new Error('slow'));
    const written = write(effect);
    fail();
    await written;
    await expect.poll(() => store.bumps.length).toBe(1);
    // The store is being told of the first write when the second fails to tell it.
    const [telling] = store.bumps.splice(0);
    const again = write(effect);
    fail();
    await again;
    telling?.resolve();
    await sleep(0);
    expect(invalidation.trusts([dependency.run(RUN)])).toBe(false);
    await expect.poll(() => store.bumps.length).toBe(1);
    store.bumps[0]?.resolve();
    await expect.poll(() => invalidation.trusts([dependency.run(RUN)])).toBe(true);
    expect(outages).toEqual([true, false]);
  });
});

describe('with a Redis that fails', () => {
  let redis: OwnRedis;
  let store: RedisStore;

  beforeEach(async () => {
    redis = await OwnRedis.start();
    store = new RedisStore({ url: redis.url, keyPrefix: 'test', commandTimeoutMs: 50 });
  });
  afterEach(async () => {
    await store.close();
    await redis.stop();
  });

  const eventually = <T>(check: () => Promise<T>) => expect.poll(check, { timeout: 10_000, interval: 50 });

  it.each(['hang', 'stop'] as const)('reads and writes go on when it does %s, within tens of ms', async (fault) => {
    const { read, write, outages, invalidation } = openBackend(store);
    await eventually(async () => (await read()).cache).toBe('HIT');
    await redis[fault]();

    const began = performance.now();
    for (let i = 0; i < 20; i++) expect(await read()).toMatchObject({ cache: 'BYPASS', body: '{"v":0}' });
    await write({ runs: [{ runId: RUN, experimentId: '7' }] });
    expect((await read()).body).toBe('{"v":1}');
    // Far less than a time-out each.
    expect(performance.now() - began).toBeLessThan(400);
    expect(outages).toEqual([true]);
    invalidation.close();
  });

  it('nothing from before a write is found after it, when Redis comes back with what it had', async () => {
    const { read, write, outages } = openBackend(store);
    await eventually(async () => (await read()).cache).toBe('HIT');
    redis.hang();
    await write({ runs: [{ runId: RUN, experimentId: '7' }] });
    redis.wake();
    const seen = new Set<unknown>();
    await eventually(async () => {
      const { body, cache } = await read();
      seen.add(body);
      return cache;
    }).toBe('HIT');
    expect([...seen]).toEqual(['{"v":1}']);
    expect(outages).toEqual([true, false]);
  });

  it('finds its way back to a Redis that was started again', async () => {
    const { read } = openBackend(store);
    await redis.stop();
    expect((await read()).cache).toBe('BYPASS');
    await redis.restart();
    await eventually(async () => (await read()).cache).toBe('HIT');
  });
});
