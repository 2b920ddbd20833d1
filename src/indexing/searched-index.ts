import { setTimeout as sleep } from 'node:timers/promises';
import type { RunAdapter, Scan } from '../plan/adapter.ts';
import type { Feed } from '../plan/feed.ts';
import type { RunQuery } from '../query/run-query.ts';

const POLL_MS = 50;

/**
 * An index with the feed that says when it may be asked, as searches have it. Once retired it is never ready again, so that
 * searches which were planned before go to the backend; those which had begun end as they would have.
 */
export class SearchedIndex implements RunAdapter, Pick<Feed, 'ready' | 'lagMs'> {
  readonly name: string;
  readonly #index: RunAdapter;
  readonly #feed: Pick<Feed, 'ready' | 'lagMs'>;
  #isRetired = false;
  #underWay = 0;

  constructor(index: RunAdapter, feed: Pick<Feed, 'ready' | 'lagMs'>) {
    this.name = index.name;
    this.#index = index;
    this.#feed = feed;
  }

  pushDown(query: RunQuery): Scan {
    const scan = this.#index.pushDown(query);
    return { ...scan, fetch: (page, signal) => this.#count(scan.fetch(page, signal)) };
  }

  async ready(experimentIds: readonly string[], signal: AbortSignal): Promise<boolean> {
    return !this.#isRetired && this.#count(this.#feed.ready(experimentIds, signal));
  }

  lagMs(experimentIds: readonly string[]): number | undefined {
    return this.#isRetired ? undefined : this.#feed.lagMs(experimentIds);
  }

  retire(): void {
    this.#isRetired = true;
  }

  /** Resolves when no search is under way. @throws the signal's reason when it aborts first. */
  async idle(signal: AbortSignal): Promise<void> {
    // After at least a turn of the event loop: a search that was just told ready has not begun to fetch.
    do await sleep(POLL_MS, undefined, { signal, ref: false });
    while (this.#underWay > 0);
  }

  async #count<T>(search: Promise<T>): Promise<T> {
    this.#underWay++;
    try {
      return await search;
    } finally {
      this.#underWay--;
    }
  }

  close(): Promise<void> {
    return this.#index.close();
  }
}
