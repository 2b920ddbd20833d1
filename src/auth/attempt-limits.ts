import { LRUCache } from 'lru-cache';
import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import { TooManyAttempts } from './refusals.ts';

export interface AttemptLimitsOptions {
  readonly windowSeconds: number;
  /** Failed attempts in a window: as one user from one address, from one address, as one user. */
  readonly perUserAndAddress: number;
  readonly perAddress: number;
  readonly perUser: number;
  /** Told once in a window of an address whose attempts are not heard any more. */
  onLimited?(address: string): void;
}

/** For how long an address from which a user was let in is known to be theirs, in ms. */
const KNOWN_MS = 86_400_000;
const MAX_KNOWN = 10_000;

/**
 * Bounds failed attempts. Whoever fails is bounded first by user *and* address, so that nobody behind the same address
 * suffers. The wider bounds, against one who tries many names, or from many places, spare users at addresses from which they
 * were let in before: else an attacker could keep them out.
 */
export class AttemptLimits {
  readonly #pairs: RateLimiterMemory;
  readonly #addresses: RateLimiterMemory;
  readonly #users: RateLimiterMemory;
  readonly #known = new LRUCache<string, true>({ max: MAX_KNOWN, ttl: KNOWN_MS });
  readonly #options: AttemptLimitsOptions;

  constructor(options: AttemptLimitsOptions) {
    this.#options = options;
    const { windowSeconds: duration, perUserAndAddress, perAddress, perUser } = options;
    this.#pairs = new RateLimiterMemory({ points: perUserAndAddress, duration });
    this.#addresses = new RateLimiterMemory({ points: perAddress, duration });
    this.#users = new RateLimiterMemory({ points: perUser, duration });
  }

  /**
   * Counts an attempt of a user before it is judged, since others may be under way. `user` is a name that may be kept.
   * @returns what takes the attempt back when it succeeded
   * @throws TooManyAttempts
   */
  async begin(user: string, address: string): Promise<() => void> {
    const pair = `${address} ${user}`;
    const taken: (() => void)[] = [];
    const take = async (limiter: RateLimiterMemory, key: string) => {
      await this.#consume(limiter, key, address);
      taken.push(() => void limiter.reward(key));
    };
    await take(this.#pairs, pair);
    if (!this.#known.has(pair)) {
      try {
        await take(this.#addresses, address);
        await take(this.#users, user);
      } catch (error) {
        // It was not heard.
        for (const giveBack of taken) giveBack();
        throw error;
      }
    }
    return () => {
      for (const giveBack of taken) giveBack();
      this.#known.set(pair, true);
    };
  }

  /** Counts an attempt in nobody's name that failed. @throws TooManyAttempts */
  async failed(address: string): Promise<void> {
    await this.#consume(this.#addresses, address, address);
  }

  async #consume(limiter: RateLimiterMemory, key: string, address: string): Promise<void> {
    try {
      await limiter.consume(key);
    } catch (refused) {
      if (!(refused instanceof RateLimiterRes)) throw refused;
      if (refused.consumedPoints === limiter.points + 1) this.#options.onLimited?.(address);
      throw new TooManyAttempts(refused.msBeforeNext);
    }
  }
}
