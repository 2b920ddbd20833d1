import type { AccessToken } from '@azure/identity';

/** Time before its end from which a token is renewed while it still serves, in ms. */
const RENEW_MS = 120_000;
/** Time before its end from which it does not serve any more: a request takes a while to arrive. */
const SPARE_MS = 5_000;
/** Pause between attempts to renew a token that still serves. */
const RETRY_MS = 3_000;
/** How long a token that was demanded anew counts as new: one that is refused may be refused for other reasons. */
const FRESH_MS = 10_000;

/** Asks for a token; `fresh` for one that no cache in between may answer. */
export type FetchToken = (fresh: boolean) => Promise<AccessToken>;

/**
 * Keeps the last token and gets the next one in time, once for all who ask. The library's own cache (`getBearerTokenProvider`)
 * leaves the failure of a renewal in the background to nobody, which ends a Node process.
 */
export class TokenCache {
  readonly #fetch: FetchToken;
  #token: AccessToken | undefined;
  #renewal: Promise<AccessToken> | undefined;
  #demand: Promise<AccessToken> | undefined;
  #triedAt = Number.NEGATIVE_INFINITY;
  #demandedAt = Number.NEGATIVE_INFINITY;
  /** How many demands were met. */
  #demands = 0;

  constructor(fetch: FetchToken) {
    this.#fetch = fetch;
  }

  /** A token that serves. @throws what `fetch` throws */
  async token(): Promise<string> {
    const held = this.#token;
    if (!held || held.expiresOnTimestamp - SPARE_MS <= Date.now()) return (await this.#renew()).token;
    // Whoever waits for it hears of a failure; the next one tries again.
    if (isDue(held) && Date.now() - this.#triedAt >= RETRY_MS) this.#renew().catch(() => {});
    return held.token;
  }

  /** Another token than before, though not again and again. @throws what `fetch` throws */
  async freshToken(): Promise<string> {
    if (this.#token && Date.now() - this.#demandedAt < FRESH_MS) return this.token();
    this.#demand ??= this.#take(true).finally(() => {
      this.#demand = undefined;
    });
    return (await this.#demand).token;
  }

  #renew(): Promise<AccessToken> {
    this.#renewal ??= this.#take(false).finally(() => {
      this.#renewal = undefined;
    });
    return this.#renewal;
  }

  async #take(fresh: boolean): Promise<AccessToken> {
    this.#triedAt = Date.now();
    const demands = this.#demands;
    const token = await this.#fetch(fresh);
    if (fresh) {
      this.#demandedAt = Date.now();
      this.#demands++;
    }
    // A renewal that began before a demand was met must not put back what was found refused.
    if (fresh || demands === this.#demands) this.#token = token;
    return token;
  }
}

const isDue = ({ expiresOnTimestamp, refreshAfterTimestamp = Number.POSITIVE_INFINITY }: AccessToken) =>
  Date.now() >= Math.min(expiresOnTimestamp - RENEW_MS, refreshAfterTimestamp);
