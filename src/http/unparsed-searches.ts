import { LRUCache } from 'lru-cache';

export interface UnparsedSearch {
  readonly endpoint: string;
  readonly filter: string;
  readonly reason: string;
  readonly count: number;
}

const MAX_SEARCHES = 50;
const MAX_LENGTH = 1_000;

/** The last distinct searches the gateway did not understand, for operators to look at. */
export class UnparsedSearches {
  readonly #searches = new LRUCache<string, UnparsedSearch>({ max: MAX_SEARCHES });

  add(endpoint: string, filter: string, reason: string): void {
    const shown = { endpoint, filter: filter.slice(0, MAX_LENGTH), reason: reason.slice(0, 2 * MAX_LENGTH) };
    const key = JSON.stringify(shown);
    this.#searches.set(key, { ...shown, count: (this.#searches.get(key)?.count ?? 0) + 1 });
  }

  /** Newest first. */
  list(): UnparsedSearch[] {
    return [...this.#searches.values()];
  }
}
