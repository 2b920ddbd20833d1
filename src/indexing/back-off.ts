import { setTimeout as sleep } from 'node:timers/promises';
import { backOff } from '../faults/back-off.ts';
import { Refusal } from '../faults/breaker.ts';
import { retryAfterOf } from '../faults/unavailable.ts';

interface Persistence {
  readonly firstMs: number;
  readonly signal: AbortSignal;
  onFailure(error: unknown): void;
}

/** Tries until it succeeds. @throws the signal's reason once it aborts; nothing else. */
export const persist = <T>(attempt: () => Promise<T>, options: Persistence): Promise<T> =>
  tryTimes(Number.POSITIVE_INFINITY, attempt, options) as Promise<T>;

/** Tries so many times; undefined when all failed. @throws the signal's reason once it aborts; nothing else. */
export async function tryTimes<T>(
  times: number,
  attempt: () => Promise<T>,
  { firstMs, signal, onFailure, onGivenUp }: Persistence & { onGivenUp?(error: unknown): void },
): Promise<T | undefined> {
  for (let failures = 1; ; failures++) {
    signal.throwIfAborted();
    try {
      return await attempt();
    } catch (error) {
      signal.throwIfAborted();
      onFailure(error);
      if (failures === times) {
        onGivenUp?.(error);
        return undefined;
      }
      // What was not even asked need not wait longer each time.
      const waitMs = backOff(error instanceof Refusal ? 1 : failures, firstMs);
      await sleep(retryAfterOf(error) + waitMs, undefined, { signal, ref: false });
    }
  }
}
