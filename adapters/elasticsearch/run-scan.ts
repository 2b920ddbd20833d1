import type { estypes } from '@elastic/elasticsearch';
import { decodeRun, type RunJson } from '../../src/domain/run-text.ts';
import {
  type PageRequest,
  type Position,
  PositionOutOfReach,
  type RunPage,
  type Scan,
} from '../../src/plan/adapter.ts';
import { cursorOf } from '../../src/query/order.ts';
import type { Cursor, OrderKey, RunQuery } from '../../src/query/run-query.ts';
import { compileQuery } from './compile.ts';
import type { Connection } from './connection.ts';
import { compileBound, compileCursor, compileOrder } from './order.ts';
import type { Columns } from './promoted-columns.ts';
import { isOrdered, splitFilter } from './push-down.ts';
import { runsIn } from './runs-in.ts';

/** Elasticsearch counts no further than this from the beginning of an answer. */
const WINDOW = 10_000;

/** Runs are some kilobytes each, sometimes hundreds: what one answer holds is bounded for the sake of both sides. */
const ROWS_A_REQUEST = 2_000;

/** How long Elasticsearch keeps a point in time between two requests. */
const KEEP_ALIVE = '1m';

/** A search, and what its sort clauses were made of. */
interface Plan {
  readonly order: readonly OrderKey[];
  readonly columns: Columns;
  readonly body: estypes.SearchRequest & { readonly query: estypes.QueryDslQueryContainer };
}

/**
 * Where and what to search, ready to be asked for pages. `index` is called late: the index may not be prepared yet. All pages come
 * from one: what is prepared after it was deleted may lack runs.
 */
export function createScan(connection: Connection, index: () => string, query: RunQuery, columns: Columns): Scan {
  const { pushed, residual } = splitFilter(query.filter, query.dialect);
  const sort = compileOrder(query.order, columns);
  const body = {
    query: compileQuery(query, pushed),
    sort,
    track_total_hits: false,
    // To read a stored field, were it the id alone, is to unpack the block that it lies in.
    stored_fields: '_none_',
    docvalue_fields: ['run'],
  };
  let searched: string | undefined;
  return {
    residual,
    orderedBy: query.order.every((key) => isOrdered(key, query.dialect)) ? query.order.length : 0,
    resumable: true,
    describe: () => body,
    fetch: async (page, signal) => {
      searched ??= index();
      return new Fetch(connection, searched, { order: query.order, columns, body }, signal).page(page);
    },
  };
}

class Fetch {
  readonly #connection: Connection;
  readonly #index: string;
  readonly #plan: Plan;
  readonly #signal: AbortSignal;

  constructor(connection: Connection, index: string, plan: Plan, signal: AbortSignal) {
    this.#connection = connection;
    this.#index = index;
    this.#plan = plan;
    this.#signal = signal;
  }

  async page({ limit, from }: PageRequest): Promise<RunPage> {
    if (!from.cursor && from.offset >= WINDOW)
      throw new PositionOutOfReach(`Elasticsearch reaches row ${from.offset} only from the page before it.`);
    // One row more tells whether there is a next page.
    const rows = await this.#rows(from, limit + 1);
    return { runs: rows.slice(0, limit), more: rows.length > limit };
  }

  #rows(from: Position, count: number): Promise<readonly RunJson[]> {
    const first = this.#reach(from, count);
    return first === count ? this.#search({ index: this.#index }, from, count) : this.#rowsInParts(from, count);
  }

  /** How many rows one request may bring. */
  #reach({ offset, cursor }: Position, count: number): number {
    return Math.min(count, ROWS_A_REQUEST, cursor ? Number.POSITIVE_INFINITY : WINDOW - offset);
  }

  /** Several requests over one state of the index, so that together they are one answer. */
  async #rowsInParts(from: Position, count: number): Promise<readonly RunJson[]> {
    const id = await this.#openPointInTime();
    const pit = { id, keep_alive: KEEP_ALIVE };
    try {
      const rows: RunJson[] = [];
      for (let at = from; ; ) {
        const size = this.#reach(at, count - rows.length);
        const part = await this.#search({ pit }, at, size);
        rows.push(...part);
        const last = part.at(-1);
        if (last === undefined || part.length < size || rows.length === count) return rows;
        at = { offset: from.offset + rows.length, cursor: cursorOf(decodeRun(last), this.#plan.order) };
      }
    } finally {
      // It ends by itself as well, so a failure is not the caller's concern.
      void this.#connection.ask((client, options) => client.closePointInTime({ id }, options)).catch(() => undefined);
    }
  }

  async #openPointInTime(): Promise<string> {
    const { id } = await this.#connection.ask(
      (client, options) => client.openPointInTime({ index: this.#index, keep_alive: KEEP_ALIVE }, options),
      this.#signal,
    );
    return id;
  }

  async #search(
    source: estypes.SearchRequest,
    { offset, cursor }: Position,
    size: number,
  ): Promise<readonly RunJson[]> {
    const { body } = this.#plan;
    const start = cursor ? this.#after(cursor) : { from: offset };
    const request = { ...body, ...source, ...start, size, allow_partial_search_results: false };
    return runsIn(await this.#connection.search(request, this.#signal));
  }

  #after(cursor: Cursor): estypes.SearchRequest {
    const { order, columns, body } = this.#plan;
    const bound = compileBound(cursor, order);
    return {
      search_after: compileCursor(cursor, order, columns),
      ...(bound && { query: { bool: { filter: [body.query, bound] } } }),
    };
  }
}
