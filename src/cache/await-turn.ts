import { setTimeout as sleep } from 'node:timers/promises';
import type { CacheStore } from '../plan/cache-store.ts';

export interface TurnOptions<Value> {
  /** At most, in ms; 0 not to wait at all. */
  readonly waitMs: number;
  /** What has been stored meanwhile. Never throws. */
  look(): Promise<Value | undefined>;
  readonly signal: AbortSignal;
}

/** Between two looks, at first and at most, in ms. */
const FIRST_MS = 5;
const MAX_MS = 80;

/**
 * Waits while another gateway fetches what belongs under a key: for what it stores, or for undefined, when it is this gateway's
 * turn to fetch. A store that fails gives everyone a turn.
 */
export async function awaitTurn<Value>(
  store: CacheStore,
  key: string,
  { waitMs, look, signal }: TurnOptions<Value>,
): Promise<Value | undefined> {
  if (waitMs === 0) return undefined;
  const until = performance.now() + waitMs;
  for (let pauseMs = FIRST_MS; ; pauseMs = Math.min(2 * pauseMs, MAX_MS)) {
    const isOurs = await store.claim(key, waitMs).catch(() => true);
    if (isOurs || performance.now() >= until) return undefined;
    await sleep(pauseMs, undefined, { signal });
    const found = await look();
    if (found !== undefined) return found;
  }
}
