import { setTimeout as sleep } from 'node:timers/promises';
import { VIEW_TYPE } from '../../adapters/mlflow/run-adapter.ts';
import type { Run } from '../../src/domain/run.ts';
import { decodeRun, splitRuns } from '../../src/domain/run-text.ts';
import { totalOrder } from '../../src/query/order.ts';
import { parseRunFilter } from '../../src/query/parse-filter.ts';
import { parseRunOrder } from '../../src/query/parse-order.ts';
import type { RunQuery } from '../../src/query/run-query.ts';
import type { Random } from '../fuzz/random.ts';
import { checkPage } from './check-page.ts';
import { exchange } from './exchange.ts';
import { makeSearch, type SearchPlan } from './make-search.ts';
import type { Soak } from './soak.ts';

interface Page {
  readonly source: string;
  readonly token: string | undefined;
  readonly last: Run | undefined;
}

const MOST_WAIT_MS = 120;
const AFTER_FAILURE_MS = 300;
const MOST_RECENT = 8;

/** Searches through the gateway, page by page, and holds every page against the history. */
export class Searcher {
  readonly #soak: Soak;
  readonly #random: Random;
  /** Asked again and again, so that the cache has something to say. */
  readonly #recent: SearchPlan[] = [];

  constructor(soak: Soak, random: Random) {
    this.#soak = soak;
    this.#random = random;
  }

  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const isAnswered = await this.follow(this.#nextPlan());
      await sleep(isAnswered ? this.#random.int(0, MOST_WAIT_MS) : AFTER_FAILURE_MS);
    }
  }

  #nextPlan(): SearchPlan {
    if (this.#recent.length > 0 && this.#random.chance(0.5)) return this.#random.pick(this.#recent);
    const plan = makeSearch(this.#random, this.#soak.history.experimentIds);
    this.#recent.unshift(plan);
    this.#recent.length = Math.min(this.#recent.length, MOST_RECENT);
    return plan;
  }

  /** Reads all pages that are wanted; says whether the last one came. */
  async follow(plan: SearchPlan): Promise<boolean> {
    let page: Page | undefined;
    for (let i = 0; i < plan.pages; i++) {
      page = await this.#ask(plan, page);
      if (page?.token === undefined) break;
    }
    return page !== undefined;
  }

  async #ask(plan: SearchPlan, before: Page | undefined): Promise<Page | undefined> {
    const body = {
      experiment_ids: plan.experimentIds,
      filter: plan.filter,
      run_view_type: VIEW_TYPE[plan.view],
      order_by: plan.orderBy,
      max_results: plan.limit,
      ...(before && { page_token: before.token }),
    };
    const begin = performance.now();
    const answer = await exchange(this.#soak.gateway, 'runs/search', body);
    const end = performance.now();
    if (answer.kind !== 'answer' || answer.status !== 200) {
      this.#soak.noteFailedSearch(body, answer, begin, end);
      return undefined;
    }
    const { runs, nextPageToken: token } = splitRuns(answer.text);
    const rows = runs.map(decodeRun);
    const isAfterCursor = answer.source === 'index' && before?.source === 'index';
    const differences = checkPage(this.#soak.history, {
      query: toQuery(plan),
      limit: plan.limit,
      begin,
      end,
      isFirst: before === undefined,
      after: isAfterCursor ? before.last : undefined,
      rows,
      hasToken: token !== undefined,
      source: answer.source,
    });
    this.#soak.noteSearch(body, answer, { begin, end, differences });
    return { source: answer.source, token, last: rows.at(-1) };
  }
}

const toQuery = ({ experimentIds, view, filter, orderBy }: SearchPlan): RunQuery => ({
  experimentIds,
  view,
  filter: parseRunFilter(filter),
  order: totalOrder(parseRunOrder(orderBy)),
  // What tells the dialects apart is not searched for here.
  dialect: 'sqlite',
});
