import { decodeRun } from '../domain/run-text.ts';
import type { RunAdapter, Scan } from '../plan/adapter.ts';
import { allRuns, runsUntil } from '../query/runs-query.ts';
import { scanRuns } from './scan-runs.ts';

/** Elasticsearch counts no further than 10,000 rows from the beginning of an answer. */
const WINDOW = 4_096;

/**
 * How many runs a source has of these experiments, found by looking at a few rows of every few thousand: reading all
 * would take minutes. Runs that come or go meanwhile may be counted or not. @throws what the source throws.
 */
export async function countRuns(
  source: RunAdapter,
  experimentIds: readonly string[],
  signal: AbortSignal,
): Promise<number> {
  if (experimentIds.length === 0) return 0;
  let counted = 0;
  for (let query = allRuns(experimentIds); ; ) {
    const scan = source.pushDown(query);
    const [last] = await startsAt(scan, WINDOW - 1, 1, signal);
    if (last === undefined) return counted + (await countFew(scan, signal));
    // Those that began when the last one of the window did may go on behind it: they are counted from the first one on.
    const alike = await countAlikeAtEnd(scan, last, signal);
    counted += WINDOW - alike;
    query = runsUntil(experimentIds, last);
    if (alike < WINDOW) continue;
    for await (const page of scanRuns(source, query, signal)) {
      const same = page.filter((text) => decodeRun(text).startTime === last).length;
      counted += same;
      if (same < page.length) break;
    }
    query = runsUntil(experimentIds, last - 1n);
  }
}

/** When the runs in some rows of the answer began. */
async function startsAt(scan: Scan, row: number, count: number, signal: AbortSignal): Promise<bigint[]> {
  const { runs } = await scan.fetch({ limit: count, from: { offset: row } }, signal);
  return runs.map((text) => decodeRun(text).startTime);
}

/** The number of rows, fewer than a window. */
async function countFew(scan: Scan, signal: AbortSignal): Promise<number> {
  const isThere = async (row: number) => (await startsAt(scan, row, 1, signal)).length > 0;
  let [low, high] = [0, 1];
  while (high < WINDOW && (await isThere(high - 1))) [low, high] = [high, high * 2];
  while (low < high - 1) {
    const middle = (low + high) >>> 1;
    if (await isThere(middle - 1)) low = middle;
    else high = middle;
  }
  return low;
}

/** How many rows at the end of the first window began then. */
async function countAlikeAtEnd(scan: Scan, start: bigint, signal: AbortSignal): Promise<number> {
  for (let count = 2; ; count *= 2) {
    const starts = await startsAt(scan, WINDOW - count, count, signal);
    const alike = starts.filter((each) => each === start).length;
    if (alike < count || count === WINDOW) return alike;
  }
}
