import type { Run } from '../domain/run.ts';
import { decodeRun, type RunJson } from '../domain/run-text.ts';
import type { Position } from '../plan/adapter.ts';
import type { RunsIndex } from '../plan/runs-index.ts';
import type { Filter } from '../query/ast.ts';
import { compareRuns, cursorOf } from '../query/order.ts';
import type { RunQuery } from '../query/run-query.ts';
import { allRuns, theseRuns } from '../query/runs-query.ts';

/** A run as it was read, decoded and as text. */
export interface RunRow {
  readonly run: Run;
  readonly text: string;
}

/** Which runs. */
export interface RunShare {
  readonly experimentIds: readonly string[];
  /** Over attributes alone, so that every source evaluates it. Absent: all. */
  readonly filter?: Filter | undefined;
}

export const toRow = (json: RunJson): RunRow => ({ run: decodeRun(json), text: String(json) });

const { order: ORDER } = allRuns([]);
const comparePlaces = compareRuns(ORDER);
const ROWS_A_FETCH = 1_000;

/** Goes through a share of what an index holds, newest first, a stretch at a time. */
export class IndexWalk {
  readonly #scan: ReturnType<RunsIndex['pushDown']>;
  #from: Position = { offset: 0 };

  constructor(index: RunsIndex, query: RunQuery) {
    this.#scan = index.pushDown(query);
  }

  /** The runs from the last stretch's end to the place of `end`, that one included; without it, all that are left. */
  async *upTo(end: Run | undefined, signal: AbortSignal): AsyncGenerator<RunRow> {
    for (let more = true; more; ) {
      const page = await this.#scan.fetch({ limit: ROWS_A_FETCH, from: this.#from }, signal);
      const rows = page.runs.map(toRow);
      const inside = end ? rows.filter(({ run }) => comparePlaces(run, end) <= 0) : rows;
      yield* inside;
      more = page.more && inside.length === rows.length;
      const reached = more ? rows.at(-1)?.run : end;
      if (reached) this.#from = { offset: 0, cursor: cursorOf(reached, ORDER) };
    }
  }
}

/** What an index holds of these runs, by id. */
export async function findHeld(
  index: RunsIndex,
  experimentIds: readonly string[],
  runIds: readonly string[],
  signal: AbortSignal,
): Promise<Map<string, RunRow>> {
  const held = new Map<string, RunRow>();
  if (runIds.length === 0) return held;
  for await (const row of new IndexWalk(index, theseRuns(experimentIds, runIds)).upTo(undefined, signal))
    held.set(row.run.runId, row);
  return held;
}

/** Whether an index holds any of these. */
export async function holdsAny(index: RunsIndex, query: RunQuery, signal: AbortSignal): Promise<boolean> {
  const page = await index.pushDown(query).fetch({ limit: 1, from: { offset: 0 } }, signal);
  return page.runs.length > 0;
}
