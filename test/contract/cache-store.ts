import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { CacheStore } from '../../src/plan/cache-store.ts';

/** What every cache store does alike. `open` gives an empty one. */
export function itIsACacheStore(open: () => Promise<CacheStore>): void {
  let store: CacheStore;
  beforeAll(async () => {
    store = await open();
  });
  afterAll(() => store.close());

  it('gives back what was stored, to the byte', async () => {
    const value = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
    await store.set('a', value, 60_000);
    expect(await store.get('a')).toEqual(value);
  });

  it('knows nothing of other keys', async () => {
    expect(await store.get('never')).toBeUndefined();
  });

  it('replaces an entry', async () => {
    await store.set('b', Buffer.from('1'), 60_000);
    await store.set('b', Buffer.from('2'), 60_000);
    expect(await store.get('b')).toEqual(Buffer.from('2'));
  });

  it('forgets an entry when its time is over', async () => {
    await store.set('c', Buffer.from('1'), 30);
    await sleep(60);
    expect(await store.get('c')).toBeUndefined();
  });

  it('keeps a generation until it is bumped', async () => {
    const [first] = await store.generations(['x']);
    expect(await store.generations(['x'])).toEqual([first]);
    await store.bump(['x']);
    const [second] = await store.generations(['x']);
    expect(second).not.toBe(first);
  });

  it('gives every name its own generation, in the order asked', async () => {
    const [one, two] = await store.generations(['one', 'two']);
    expect(one).not.toBe(two);
    expect(await store.generations(['two', 'one'])).toEqual([two, one]);
  });

  it('bumps the names it is told, and no other', async () => {
    const before = await store.generations(['p', 'q', 'r']);
    await store.bump(['p', 'r']);
    const after = await store.generations(['p', 'q', 'r']);
    expect(after.map((generation, i) => generation === before[i])).toEqual([false, true, false]);
  });

  it('never gives a generation twice', async () => {
    const seen = new Set<string>();
    for (let i = 0; i < 50; i++) {
      seen.add((await store.generations(['y'])).join());
      await store.bump(['y']);
    }
    expect(seen.size).toBe(50);
  });

  it('gives one generation to all who ask at once', async () => {
    const asked = await Promise.all(Array.from({ length: 20 }, () => store.generations(['fresh', 'x'])));
    expect(new Set(asked.map((generations) => generations.join())).size).toBe(1);
  });
}
