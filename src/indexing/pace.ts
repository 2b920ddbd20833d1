import { setTimeout as sleep } from 'node:timers/promises';

/** A reading that takes longer was held up: a backend that hangs once must not put off all that comes after for long, in ms. */
const LONGEST_MS = 1_000;

/** Keeps what is read from a backend to so many runs a second, and to a share of the time. */
export class Pace {
  readonly #msARun: number;
  readonly #share: number;
  #freeAt = performance.now();

  /** Without a bound, as fast as it goes. */
  constructor(maxRunsPerSecond = Number.POSITIVE_INFINITY, share = 1) {
    this.#msARun = 1_000 / maxRunsPerSecond;
    this.#share = share;
  }

  /** So many runs were read, in this time. */
  count(runs: number, ms = 0): void {
    this.#freeAt += Math.max(runs * this.#msARun, Math.min(ms, LONGEST_MS) / this.#share);
  }

  /** Resolves when more may be read. @throws the signal's reason when it aborts. */
  async wait(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const now = performance.now();
    if (this.#freeAt > now) await sleep(this.#freeAt - now, undefined, { signal });
    else this.#freeAt = now;
  }
}
