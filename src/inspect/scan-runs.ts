import { decodeRun } from '../domain/run-text.ts';
import type { Position, RunAdapter } from '../plan/adapter.ts';
import { cursorOf } from '../query/order.ts';
import type { RunQuery } from '../query/run-query.ts';

const RUNS_A_PAGE = 1_000;

/** Every run that a source has for a query, page by page. @throws what the source throws. */
export async function* scanRuns(
  source: RunAdapter,
  query: RunQuery,
  signal: AbortSignal,
): AsyncGenerator<readonly string[]> {
  const scan = source.pushDown(query);
  let from: Position = { offset: 0 };
  for (;;) {
    const { runs, more } = await scan.fetch({ limit: RUNS_A_PAGE, from }, signal);
    if (runs.length > 0) yield runs.map(String);
    const last = runs.at(-1);
    if (!more || last === undefined) return;
    from = { offset: from.offset + runs.length, cursor: cursorOf(decodeRun(last), query.order) };
  }
}
