import { createHmac, randomBytes } from 'node:crypto';
import { LRUCache } from 'lru-cache';

/** How long what was verified is taken for granted, in ms. */
const REMEMBER_MS = 60_000;
const MAX_ENTRIES = 10_000;

/**
 * What was verified a moment ago, and what is being verified, once for all who ask at the same time. Credentials are kept as
 * hashes alone, with a key that is nowhere but in this process.
 */
export class Verified<T extends object> {
  readonly #key = randomBytes(32);
  readonly #known = new LRUCache<string, T>({ max: MAX_ENTRIES, ttl: REMEMBER_MS });
  readonly #underWay = new Map<string, Promise<T>>();

  /** A name for credentials that does not tell them. */
  nameOf(...credentials: readonly string[]): string {
    const hmac = createHmac('sha256', this.#key);
    for (const part of credentials) hmac.update(`${part.length}:${part}`);
    return hmac.digest('base64url');
  }

  get(name: string): T | undefined {
    return this.#known.get(name);
  }

  /** What `verify` gives, for at most so long, in ms. @throws as `verify` does, and nothing is kept then */
  verify(name: string, verify: () => Promise<{ readonly value: T; readonly forMs?: number }>): Promise<T> {
    const started = this.#underWay.get(name);
    if (started !== undefined) return started;
    const verification = verify()
      .then(({ value, forMs = REMEMBER_MS }) => {
        if (forMs > 0) this.#known.set(name, value, { ttl: Math.min(forMs, REMEMBER_MS) });
        return value;
      })
      .finally(() => this.#underWay.delete(name));
    this.#underWay.set(name, verification);
    return verification;
  }
}
