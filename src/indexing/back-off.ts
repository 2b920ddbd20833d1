import { setTimeout as sleep } from 'node:timers/promises';

const MAX_MS = 30_000;

/** Time to wait after so many failures in a row, in ms: doubling up to half a minute, spread so that callers part. */
export const backOff = (failures: number, firstMs: number): number =>
  Math.min(MAX_MS, firstMs * 2 ** (failures - 1)) * (0.5 + Math.random());

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
