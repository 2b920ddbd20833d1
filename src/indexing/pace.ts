import { setTimeout as sleep } from 'node:timers/promises';

/** Keeps what is read from a backend to so many runs a second. */
export class Pace {
  readonly #msARun: number;
  #freeAt = performance.now();

  /** Without a bound, as fast as it goes. */
  constructor(maxRunsPerSecond = Number.POSITIVE_INFINITY) {
    this.#msARun = 1_000 / maxRunsPerSecond;
  }

  /** So many runs were read. */
  count(runs: number): void {
    this.#freeAt += runs * this.#msARun;
  }

  /** Resolves when more may be read. @throws the signal's reason when it aborts. */
  async wait(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const now = performance.now();
    if (this.#freeAt > now) await sleep(this.#freeAt - now, undefined, { signal });
    else this.#freeAt = now;
  }
}
