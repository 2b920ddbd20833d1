import { backOff } from './back-off.ts';
import { retryAfterOf, Unavailable } from './unavailable.ts';

/** Whether calls are let through; `half-open` while the probe is under way that decides it. */
export type BreakerState = 'closed' | 'open' | 'half-open';

export type OnBreakerChange = (name: string, state: 'closed' | 'open', error?: unknown) => void;

export interface BreakerOptions {
  /** Of the dependency. */
  readonly name: string;
  /** One cheap question past the breaker. It must end by itself. */
  probe(): Promise<unknown>;
  /** How long nothing is asked after the first failure and at most, in ms; it doubles in between. */
  readonly firstMs: number;
  readonly maxMs: number;
  /** Told when it opens and when it is closed again, not of probes that fail. */
  onChange?: OnBreakerChange;
}

export interface BreakerStatus {
  readonly state: BreakerState;
  /** In a row, failed probes included. */
  readonly failures: number;
  readonly lastFailure: { readonly at: string; readonly message: string } | undefined;
}

/** A call that was not made, because the dependency failed a moment ago. */
export class Refusal extends Unavailable {}

/**
 * Leaves a dependency alone that has failed, so that callers do not wait for it one by one and it is not asked to death. The
 * first failure opens it; then it asks by itself, and only its own question, until that is answered.
 */
export class Breaker {
  readonly name: string;
  readonly #options: BreakerOptions;
  #state: BreakerState = 'closed';
  #failures = 0;
  #lastFailure: BreakerStatus['lastFailure'];
  /** When the next probe begins, in ms of `performance.now()`. */
  #probeAt = 0;
  /** Grows whenever it opens. */
  #openings = 0;
  #timer: NodeJS.Timeout | undefined;
  #isStopped = false;

  constructor(options: BreakerOptions) {
    this.name = options.name;
    this.#options = options;
  }

  get isClosed(): boolean {
    return this.#state === 'closed';
  }

  get status(): BreakerStatus {
    return { state: this.#state, failures: this.#failures, lastFailure: this.#lastFailure };
  }

  /** @throws Refusal while it is not closed, else what the call throws. `isOutage` says which errors open it. */
  async run<T>(call: () => Promise<T>, isOutage: (error: unknown) => boolean = () => true): Promise<T> {
    if (!this.isClosed) throw this.#refusal();
    const openings = this.#openings;
    try {
      const result = await call();
      if (this.#openings === openings) this.#failures = 0;
      return result;
    } catch (error) {
      // What was asked before it opened last says nothing of now.
      if (this.#openings === openings && isOutage(error)) this.trip(error);
      throw error;
    }
  }

  /** Opens it. */
  trip(error: unknown): void {
    if (!this.isClosed) return;
    this.#open(error);
    this.#options.onChange?.(this.name, 'open', error);
  }

  /** Asks no more: it stays as it is. */
  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#timer);
  }

  #refusal(): Refusal {
    const waitMs = Math.max(0, Math.round(this.#probeAt - performance.now()));
    return new Refusal(`${this.name} failed a moment ago: ${this.#lastFailure?.message}`, waitMs);
  }

  #open(error: unknown): void {
    const { firstMs, maxMs } = this.#options;
    this.#state = 'open';
    this.#openings++;
    this.#failures++;
    this.#lastFailure = { at: new Date().toISOString(), message: String(error) };
    const waitMs = Math.max(backOff(this.#failures, firstMs, maxMs), retryAfterOf(error));
    this.#probeAt = performance.now() + waitMs;
    if (!this.#isStopped) this.#timer = setTimeout(() => void this.#probe(), waitMs).unref();
  }

  async #probe(): Promise<void> {
    this.#state = 'half-open';
    try {
      await this.#options.probe();
    } catch (error) {
      return this.#open(error);
    }
    this.#state = 'closed';
    this.#options.onChange?.(this.name, 'closed');
  }
}
