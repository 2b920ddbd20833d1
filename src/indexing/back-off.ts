import { setTimeout as sleep } from 'node:timers/promises';

/** Time to wait after so many failures in a row, in ms: doubling up to a bound, half of it more or less, so that callers part. */
export const backOff = (failures: number, firstMs: number, maxMs = 30_000): number =>
  Math.min(maxMs, firstMs * 2 ** (failures - 1)) * (0.5 + Math.random());

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
      await sleep(backOff(failures, firstMs), undefined, { signal, ref: false });
    }
  }
}
