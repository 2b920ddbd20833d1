import type { Run } from '../domain/run.ts';
import { decodeRun, type RunJson } from '../domain/run-text.ts';
import { type Compare, conjunctsOf, type Filter } from '../query/ast.ts';
import { evaluate } from '../query/evaluate.ts';
import { compareCursors, cursorOf, sameField } from '../query/order.ts';
import { printFilter } from '../query/print.ts';
import type { RunQuery } from '../query/run-query.ts';
import { isExact, type PageRequest, type Place, PositionOutOfReach, type RunPage, type Scan } from './adapter.ts';
import { OrderedRows, OutOfOrder, type Row } from './ordered-rows.ts';
import { explainRest, type ScanBudget, Spending } from './scan-budget.ts';

export interface Completion {
  /** Id of the source, for messages. */
  readonly source: string;
  readonly budget: ScanBudget;
}

/** Most runs asked for at once: what every backend takes. */
const MAX_PAGE = 1_000;
const MIN_PAGE = 100;
const START: Place = { offset: 0 };

/**
 * Does what a source leaves to the gateway: evaluates the residual, orders, and begins pages at a cursor. It reads the
 * source page by page and holds no more than it must to order: of rows that come by the leading keys those that are equal
 * in them, else as many as were asked for. A page of the result says where in the source the next one begins.
 * Its fetch @throws GatewayError `INVALID_PARAMETER_VALUE` beyond the budget, and what the source's throws.
 */
export function completeScan(scan: Scan, query: RunQuery, completion: Completion): Scan {
  if (isExact(scan, query) && scan.resumable) return scan;
  const { residual, orderedBy } = scan;
  return {
    residual: undefined,
    orderedBy: query.order.length,
    resumable: true,
    describe: () => ({ source: scan.describe(), residual: residual && printFilter(residual), orderedBy }),
    async fetch(page, signal) {
      const { below, ...from } = page.from;
      try {
        return await fetchPage(scan, query, completion, page, signal);
      } catch (error) {
        if (error instanceof OutOfOrder)
          return fetchPage({ ...scan, orderedBy: 0 }, query, completion, { ...page, from }, signal);
        // A place in a source is good for as long as the source says.
        if (below && error instanceof PositionOutOfReach)
          return fetchPage(scan, query, completion, { ...page, from }, signal);
        throw error;
      }
    },
  };
}

interface FoundRow extends Row {
  readonly json: RunJson;
  /** Where in the source the first row is that is equal to this one in the leading keys. */
  readonly place: Place;
}

async function fetchPage(
  scan: Scan,
  query: RunQuery,
  { source, budget }: Completion,
  { limit, from }: PageRequest,
  signal: AbortSignal,
): Promise<RunPage> {
  const { residual, orderedBy } = scan;
  const { order, dialect } = query;
  const { cursor: after, below = START } = from;
  const skipped = after ? 0 : from.offset;
  const found = new OrderedRows<FoundRow>(order, orderedBy, skipped + limit + 1);
  const spending = new Spending(budget, () => explainRest(source, scan, query));
  const isLast = endOf(residual, query, orderedBy);
  let first = below;

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

  pages: for await (const { runs, place } of pagesOf(scan, below, skipped + limit + 2, signal)) {
    spending.read(runs.length);
    for (const json of runs) if (!take(json, place)) break pages;
    spending.hold(found.length);
  }
  const rows = found.end().slice(skipped);
  const page = rows.slice(0, limit);
  const more = rows.length > limit;
  return { runs: page.map(({ json }) => json), more, ...(more && { below: page.at(-1)?.place }) };
}

interface SourcePage {
  readonly runs: readonly RunJson[];
  /** Where it began. */
  readonly place: Place;
}

/** A source's rows from a place to its end, in ever larger pages: much of what is read may be in vain. */
async function* pagesOf(scan: Scan, from: Place, wanted: number, signal: AbortSignal): AsyncGenerator<SourcePage> {
  let place = from;
  for (let limit = Math.max(MIN_PAGE, wanted); ; limit *= 2) {
    const { runs, more, mark } = await scan.fetch({ limit: Math.min(limit, MAX_PAGE), from: place }, signal);
    yield { runs, place };
    if (!more) return;
    place = { offset: place.offset + runs.length, ...(mark !== undefined && { mark }) };
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
