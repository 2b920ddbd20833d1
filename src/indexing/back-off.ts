import { setTimeout as sleep } from 'node:timers/promises';

/** Time to wait after so many failures in a row, in ms: doubling up to a bound, half of it more or less, so that callers part. */
export const backOff = (failures: number, firstMs: number, maxMs = 30_000): number =>
  Math.min(maxMs, firstMs * 2 ** (failures - 1)) * (0.5 + Math.random());

/** Tries until it succeeds. @throws the signal's reason once it aborts; nothing else. */
export async function persist<T>(
  attempt: () => Promise<T>,
  { firstMs, signal, onFailure }: { firstMs: number; signal: AbortSignal; onFailure(error: unknown): void },
): Promise<T> {
  for (let failures = 1; ; failures++) {
    signal.throwIfAborted();
    try {
      return await attempt();
    } catch (error) {
      signal.throwIfAborted();
      onFailure(error);
      await sleep(backOff(failures, firstMs), undefined, { signal, ref: false });
    }
  }
}
