import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { TokenCache } from '../../../../adapters/azureml/token-cache.ts';

const HOUR_MS = 3_600_000;

beforeEach(() => void vi.useFakeTimers({ toFake: ['Date'] }));
afterEach(() => void vi.useRealTimers());

const later = (ms: number) => void vi.setSystemTime(Date.now() + ms);

/** A cache over a place that numbers its tokens, and the demands made there. */
function setUp({ refreshAfterMs }: { refreshAfterMs?: number } = {}) {
  const place = { asked: [] as boolean[], isDown: false, hold: Promise.resolve() };
  const cache = new TokenCache(async (fresh) => {
    const count = place.asked.push(fresh);
    await place.hold;
    if (place.isDown) throw new Error('down');
    return {
      token: `token ${count}`,
      expiresOnTimestamp: Date.now() + HOUR_MS,
      ...(refreshAfterMs !== undefined && { refreshAfterTimestamp: Date.now() + refreshAfterMs }),
    };
  });
  return { cache, place };
}

it('is asked for once, by however many, until it ends', async () => {
  const { cache, place } = setUp();
  const tokens = await Promise.all([cache.token(), cache.token(), cache.token()]);
  later(HOUR_MS - 121_000);
  expect([...tokens, await cache.token()]).toEqual(Array(4).fill('token 1'));
  expect(place.asked).toEqual([false]);
});

it('is renewed before it ends, while it still serves', async () => {
  const { cache, place } = setUp();
  await cache.token();
  later(HOUR_MS - 119_000);
  expect(await cache.token()).toBe('token 1');
  await vi.waitFor(async () => expect(await cache.token()).toBe('token 2'));
  expect(place.asked).toEqual([false, false]);
});

it('is renewed when its issuer asks for that', async () => {
  const { cache } = setUp({ refreshAfterMs: HOUR_MS / 2 });
  await cache.token();
  later(HOUR_MS / 2);
  expect(await cache.token()).toBe('token 1');
  await vi.waitFor(async () => expect(await cache.token()).toBe('token 2'));
});

it('serves to its end when it cannot be renewed, which is tried every few seconds and breaks nothing', async () => {
  const { cache, place } = setUp();
  await cache.token();
  later(HOUR_MS - 60_000);
  place.isDown = true;
  expect(await cache.token()).toBe('token 1');
  await sleep(5);
  expect(await cache.token()).toBe('token 1');
  expect(place.asked).toHaveLength(2);
  later(3_000);
  expect(await cache.token()).toBe('token 1');
  expect(place.asked).toHaveLength(3);
  await sleep(5);
  later(60_000);
  await expect(cache.token()).rejects.toThrow('down');
  place.isDown = false;
  expect(await cache.token()).toBe('token 5');
});

it('is another one on demand, though not again and again', async () => {
  const { cache, place } = setUp();
  await cache.token();
  expect(await Promise.all([cache.freshToken(), cache.freshToken()])).toEqual(['token 2', 'token 2']);
  expect([await cache.token(), await cache.freshToken()]).toEqual(['token 2', 'token 2']);
  later(10_000);
  expect(await cache.freshToken()).toBe('token 3');
  expect(place.asked).toEqual([false, true, true]);
});

it('is kept when there is no other', async () => {
  const { cache, place } = setUp();
  await cache.token();
  place.isDown = true;
  await expect(cache.freshToken()).rejects.toThrow('down');
  expect(await cache.token()).toBe('token 1');
});

it('that was demanded is not put back by a renewal that began before', async () => {
  const { cache, place } = setUp();
  await cache.token();
  later(HOUR_MS - 60_000);
  const renewal = Promise.withResolvers<void>();
  place.hold = renewal.promise;
  await cache.token();
  place.hold = Promise.resolve();
  expect(await cache.freshToken()).toBe('token 3');
  renewal.resolve();
  await sleep(5);
  expect(place.asked).toEqual([false, false, true]);
  expect(await cache.token()).toBe('token 3');
});
