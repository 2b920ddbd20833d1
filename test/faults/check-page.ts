import type { Run } from '../../src/domain/run.ts';
import { leavesOf } from '../../src/query/ast.ts';
import { evaluate } from '../../src/query/evaluate.ts';
import { compareCursors, compareRuns, cursorOf } from '../../src/query/order.ts';
import type { Cursor, RunQuery } from '../../src/query/run-query.ts';
import { unexplained } from './explain-run.ts';
import type { History, RunHistory } from './history.ts';

/** A page of an answer, with all that bears on whether it is right. Times in ms of `performance.now()`. */
export interface SeenPage {
  readonly query: RunQuery;
  readonly limit: number;
  /** When it was asked for, and when the whole of it was there. */
  readonly begin: number;
  readonly end: number;
  readonly isFirst: boolean;
  /** The run that it begins after, where the page before and this one came from the index. */
  readonly after: Run | undefined;
  readonly rows: readonly Run[];
  readonly hasToken: boolean;
  /** Who says to have computed it: `index`, `cache` or `backend`. */
  readonly source: string;
}

export interface Difference {
  readonly problem: string;
  /** The run that it is about. */
  readonly history?: RunHistory | undefined;
}

/**
 * What no states of the runs explain that they may have been in while the page was made. Runs that were not written to
 * meanwhile are held to exactly one state; of the others only what holds in every state is asked for, and what holds in
 * none refused.
 */
export function checkPage(history: History, page: SeenPage): Difference[] {
  return [...lengthOf(page), ...new PageCheck(history, page).differences()];
}

function* lengthOf({ rows, limit, hasToken }: SeenPage): Iterable<Difference> {
  if (rows.length > limit) yield { problem: `${rows.length} runs on a page of ${limit}.` };
  if (hasToken && rows.length < limit) yield { problem: `${rows.length} runs on a page of ${limit} that has a next.` };
}

interface Bounds {
  readonly low: Cursor;
  readonly high: Cursor;
}

class PageCheck {
  readonly #history: History;
  readonly #page: SeenPage;
  readonly #tests: readonly ((run: Run) => boolean)[];

  constructor(history: History, page: SeenPage) {
    this.#history = history;
    this.#page = page;
    const { view, filter, dialect } = page.query;
    this.#tests = [
      (run) => view === 'all' || view === run.lifecycleStage,
      ...(filter ? leavesOf(filter) : []).map((leaf) => (run: Run) => evaluate(leaf, run, dialect)),
    ];
  }

  differences(): Difference[] {
    return [...this.#wrongRows(), ...this.#wrongOrder(), ...this.#missing()];
  }

  *#wrongRows(): Iterable<Difference> {
    const { rows, query, source } = this.#page;
    const seen = new Set<string>();
    for (const row of rows) {
      const history = this.#history.of(row);
      if (!history) yield { problem: `Nobody wrote run ${row.runId}.` };
      if (!query.experimentIds.includes(row.experimentId)) yield { problem: `${row.runId} is elsewhere.`, history };
      if (seen.has(row.runId)) yield { problem: `Run ${row.runId} is there twice.`, history };
      seen.add(row.runId);
      if (!history) continue;
      const states = this.#statesOf(history);
      const problem = unexplained(row, history, states);
      if (problem) yield { problem, history };
      else if (!this.#tests.every((test) => states.some(test)))
        yield { problem: `No state of ${history.who} is one that was searched for.`, history };
      if (source === 'index' && !this.#tests.every((test) => test(row)))
        yield { problem: `${history.who} is not one that was searched for.`, history };
    }
  }

  *#wrongOrder(): Iterable<Difference> {
    const { rows, query, source } = this.#page;
    const byOrder = compareRuns(query.order);
    for (const [i, row] of rows.entries()) {
      const next = rows[i + 1];
      if (!next) return;
      const isWrong =
        source === 'index' ? byOrder(row, next) >= 0 : this.#isBefore(this.#boundsOf(next), this.#boundsOf(row));
      if (isWrong) yield { problem: `${row.runId} is before ${next.runId}.`, history: this.#history.of(row) };
    }
  }

  /** Runs that were to be found in every state, and whose place is on this page in every state. */
  *#missing(): Iterable<Difference> {
    const { rows, query, begin, isFirst, after, hasToken } = this.#page;
    const shown = new Set(rows.map((row) => this.#history.of(row)));
    const [first, last] = [rows[0], rows.at(-1)].map((row) => row && this.#boundsOf(row));
    const lower = after ? boundsOf([after], query) : first;
    if (!isFirst && !lower) return;
    for (const history of query.experimentIds.flatMap((id) => this.#history.runsOf(id))) {
      if (shown.has(history) || history.mayBeAbsentAt(begin)) continue;
      const states = this.#statesOf(history);
      if (!this.#tests.every((test) => states.every(test))) continue;
      const place = boundsOf(states, query);
      const isAfterStart = isFirst || (lower && this.#isBefore(lower, place));
      const isBeforeEnd = !hasToken || (last && this.#isBefore(place, last));
      if (isAfterStart && isBeforeEnd) yield { problem: `${history.who} is missing.`, history };
    }
  }

  #statesOf(history: RunHistory): Run[] {
    return statesWithId(history, this.#page);
  }

  #boundsOf(row: Run): Bounds {
    const history = this.#history.of(row);
    return boundsOf([row, ...(history ? this.#statesOf(history) : [])], this.#page.query);
  }

  #isBefore(a: Bounds, b: Bounds): boolean {
    return compareCursors(a.high, b.low, this.#page.query.order) < 0;
  }
}

const statesWithId = (history: RunHistory, { begin, end }: SeenPage): Run[] =>
  history.statesBetween(begin, end).map((run) => ({ ...run, runId: history.runId ?? '' }));

/** The least and the greatest place of a run, part by part, since the parts may be of several moments. */
function boundsOf(states: readonly Run[], { order }: RunQuery): Bounds {
  const cursors = states.map((state) => cursorOf(state, order));
  const extreme = (sign: 1 | -1): Cursor =>
    order.map((key, i) => {
      const parts = cursors.flatMap((cursor) => cursor.slice(i, i + 1));
      return parts.reduce((best, part) => (sign * compareCursors([part], [best], [key]) < 0 ? part : best));
    });
  return { low: extreme(1), high: extreme(-1) };
}
