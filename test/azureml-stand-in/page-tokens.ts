import { createHash, randomBytes } from 'node:crypto';
import { refusal } from './azure-error.ts';
import type { Rules } from './rules.ts';

interface Rest {
  /** Of the search that the token goes on. */
  readonly search: string;
  readonly ids: readonly string[];
  /** In ms since 1970. */
  readonly expires: number;
}

export interface IdPage {
  readonly ids: readonly string[];
  /** Undefined on the last page. */
  readonly nextToken: string | undefined;
}

const MOST = 1_000;

/** Keeps the order that a search began with, so that all its pages are of one order; the token is only a name for that. */
export class PageTokens {
  readonly #rests = new Map<string, Rest>();
  readonly #rules: Rules;
  readonly #lifeMs: number;
  readonly #random: () => number;

  constructor(rules: Rules, lifeMs: number, random: () => number) {
    this.#rules = rules;
    this.#lifeMs = lifeMs;
    this.#random = random;
  }

  /** What is left of a search, in its order. @throws AzureError for a token of another search, an unknown or an expired one. */
  idsAfter(token: string, search: unknown): readonly string[] {
    const rest = this.#rests.get(token);
    if (!rest || rest.expires < Date.now()) throw refusal('The page token is invalid or has expired.');
    if (this.#rules.boundTokens && rest.search !== fingerprint(search))
      throw refusal('The page token belongs to another search.');
    return rest.ids;
  }

  /** The first page of what is left. @throws AzureError when `maxResults` is no number of results. */
  cut(ids: readonly string[], maxResults: unknown, search: unknown): IdPage {
    const size = this.#sizeOf(maxResults);
    if (ids.length <= size) return { ids, nextToken: undefined };
    this.#forgetExpired();
    const nextToken = randomBytes(24).toString('base64url');
    this.#rests.set(nextToken, {
      search: fingerprint(search),
      ids: ids.slice(size),
      expires: Date.now() + this.#lifeMs,
    });
    return { ids: ids.slice(0, size), nextToken };
  }

  #forgetExpired(): void {
    for (const [token, { expires }] of this.#rests) if (expires < Date.now()) this.#rests.delete(token);
  }

  #sizeOf(maxResults: unknown): number {
    const asked = Number(maxResults ?? MOST);
    if (!Number.isInteger(asked) || asked < 1) throw refusal(`MaxResults = ${maxResults} is invalid.`);
    const capped = this.#rules.pageCap ? Math.min(asked, MOST) : asked;
    if (this.#rules.emptyPages) return Math.floor(this.#random() * capped);
    return this.#rules.shortPages ? Math.ceil((1 - this.#random()) * capped) : capped;
  }
}

const fingerprint = (search: unknown): string => createHash('sha256').update(JSON.stringify(search)).digest('hex');
