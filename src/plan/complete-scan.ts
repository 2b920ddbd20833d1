import type { Run } from '../domain/run.ts';
import { decodeRun, type RunJson } from '../domain/run-text.ts';
import { type Compare, conjunctsOf, type Filter } from '../query/ast.ts';
import { evaluate } from '../query/evaluate.ts';
import { compareCursors, cursorOf, sameField } from '../query/order.ts';
import { printFilter } from '../query/print.ts';
import type { Cursor, RunQuery } from '../query/run-query.ts';
import { type Place, PositionOutOfReach, type Scan } from './adapter.ts';
import { OrderedRows, OutOfOrder, type Row } from './ordered-rows.ts';
import { explainRest, type ScanBudget, Spending } from './scan-budget.ts';

export interface Completion {
  /** Name of the source, for messages. */
  readonly source: string;
  readonly budget: ScanBudget;
  /** Most runs that the source is asked for at once; by default what every backend takes. */
  readonly maxPage?: number;
}

export interface CompleteRow extends Row {
  readonly json: RunJson;
  /** Where in the source the first row is that is equal to this one in the leading keys. */
  readonly place: Place;
}

export interface CompleteRequest {
  readonly limit: number;
  /** Rows before the first that is wanted, unless there is a cursor. */
  readonly offset: number;
  /** What is wanted comes after it. */
  readonly cursor?: Cursor | undefined;
  /** The place of the row that `cursor` is of, or one before it. */
  readonly place?: Place | undefined;
}

/** A scan whose rows are filtered and in order, whatever its source can do. */
export interface CompleteScan {
  describe(): unknown;
  /** @throws BudgetExceeded, and what the source's fetch throws. */
  fetch(
    request: CompleteRequest,
    signal: AbortSignal,
  ): Promise<{ readonly rows: readonly CompleteRow[]; readonly more: boolean }>;
}

/** What every backend takes. */
const MAX_PAGE = 1_000;
const MIN_PAGE = 100;
const START: Place = { offset: 0 };

/**
 * Does what a source leaves to the gateway: evaluates the residual, orders, and begins pages at a cursor. It reads the
 * source page by page and holds no more than it must to order: of rows that come by the leading keys those that are equal
 * in them, else as many as were asked for.
 */
export function completeScan(scan: Scan, query: RunQuery, completion: Completion): CompleteScan {
  const { residual, orderedBy } = scan;
  return {
    describe: () => ({ source: scan.describe(), residual: residual && printFilter(residual), orderedBy }),
    async fetch(request, signal) {
      const anew = { ...request, place: undefined };
      try {
        return await fetchRows(scan, query, completion, request, signal);
      } catch (error) {
        if (error instanceof OutOfOrder) return fetchRows({ ...scan, orderedBy: 0 }, query, completion, anew, signal);
        // A place in a source is good for as long as the source says.
        if (request.place && error instanceof PositionOutOfReach)
          return fetchRows(scan, query, completion, anew, signal);
        throw error;
      }
    },
  };
}

async function fetchRows(
  scan: Scan,
  query: RunQuery,
  { source, budget, maxPage = MAX_PAGE }: Completion,
  { limit, offset, cursor: after, place: start = START }: CompleteRequest,
  signal: AbortSignal,
) {
  const { residual, orderedBy } = scan;
  const { order, dialect } = query;
  const skipped = after ? 0 : offset;
  const found = new OrderedRows<CompleteRow>(order, orderedBy, skipped + limit + 1);
  const spending = new Spending(budget, () => explainRest(source, scan, query));
  const isLast = endOf(residual, query, orderedBy);
  let first = start;

  /** Whether more may be wanted. */
  function take(json: RunJson, place: Place): boolean {
    const run = decodeRun(json);
    const cursor = cursorOf(run, order);
    if (found.pass(cursor)) first = place;
    if (found.isFull || isLast(run)) return false;
    if (residual && !evaluate(residual, run, dialect)) return true;
    if (after && compareCursors(cursor, after, order) <= 0) return true;
    found.add({ json, cursor, length: json.length, place: first });
    return true;
  }

  pages: for await (const { runs, from } of pagesOf(scan, start, { wanted: skipped + limit + 2, maxPage }, signal)) {
    spending.read(runs.length);
    for (const [i, json] of runs.entries()) if (!take(json, from(i))) break pages;
    spending.hold(found.length);
  }
  const rows = found.end().slice(skipped);
  return { rows: rows.slice(0, limit), more: rows.length > limit };
}

interface SourcePage {
  readonly runs: readonly RunJson[];
  /** Where a reading begins that is to have the run of this number. */
  from(i: number): Place;
}

/** A source's rows from a place to its end, in ever larger pages: much of what is read may be in vain. */
async function* pagesOf(
  scan: Scan,
  start: Place,
  { wanted, maxPage }: { readonly wanted: number; readonly maxPage: number },
  signal: AbortSignal,
): AsyncGenerator<SourcePage> {
  let place = start;
  for (let limit = Math.max(MIN_PAGE, wanted); ; limit *= 2) {
    const { offset, mark: here } = place;
    const { runs, more, mark } = await scan.fetch({ limit: Math.min(limit, maxPage), from: place }, signal);
    // Where there are marks, a reading begins at one; a source that has shown all may have some.
    const goesByOffset = here === undefined && mark === undefined && (more || offset > 0);
    const begun = place;
    yield { runs, from: (i) => (goesByOffset ? { offset: offset + i } : begun) };
    if (!more) return;
    place = { offset: offset + runs.length, ...(mark !== undefined && { mark }) };
  }
}

/** Whether a run is the first of those that come too late for a bound on the start time, which is what rows come by. */
function endOf(residual: Filter | undefined, { order }: RunQuery, orderedBy: number): (run: Run) => boolean {
  const [first] = order;
  if (orderedBy === 0 || first?.field.entity !== 'attribute' || first.field.key !== 'start_time') return () => false;
  const bounding = first.descending ? ['>', '>=', '='] : ['<', '<=', '='];
  const isBound = (term: Filter): term is Compare =>
    term.kind === 'compare' && sameField(term.field, first.field) && bounding.includes(term.op);
  const bounds = conjunctsOf(residual)
    .filter(isBound)
    .map(({ value }) => value as number | bigint);
  return ({ startTime }) => bounds.some((bound) => (first.descending ? startTime < bound : startTime > bound));
}
