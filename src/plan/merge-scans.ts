import { compareCursors } from '../query/order.ts';
import type { Cursor, RunQuery } from '../query/run-query.ts';
import type { Place, Places, Scan } from './adapter.ts';
import type { CompleteRow, CompleteScan } from './complete-scan.ts';

/** A scan to be merged with others, over runs with ids that are unique among all of them. */
export interface MergedScan extends CompleteScan {
  /** The place among its own rows that says the same as one among all; by default the same. */
  cursorFor?(cursor: Cursor): Cursor;
}

/**
 * One scan of several, in one order. Each source is asked at the same time for as many rows as are wanted, since the first
 * of all may be its own. The next page begins in each after the last row that it gave to this one.
 * @param scans by the names of their sources
 */
export function mergeScans(scans: ReadonlyMap<string, MergedScan>, query: RunQuery): Scan {
  const { order } = query;
  return {
    residual: undefined,
    orderedBy: order.length,
    resumable: true,
    describe: () => Object.fromEntries([...scans].map(([name, scan]) => [name, scan.describe()])),
    async fetch({ limit, from: { offset, cursor, below = {} } }, signal) {
      const skipped = cursor ? 0 : offset;
      const pages = await Promise.all(
        [...scans].map(async ([name, scan]) => {
          const after = cursor && (scan.cursorFor?.(cursor) ?? cursor);
          const place = Object.hasOwn(below, name) ? below[name] : undefined;
          // Nobody knows how many of the rows before are whose.
          const page = await scan.fetch({ limit: skipped + limit, offset: 0, cursor: after, place }, signal);
          return { ...page, rows: page.rows.map((row) => ({ ...row, name })) };
        }),
      );
      const all = pages.flatMap(({ rows }) => rows).sort((a, b) => compareCursors(a.cursor, b.cursor, order));
      const rows = all.slice(skipped, skipped + limit);
      const runs = rows.map(({ json }) => json);
      const more = rows.length > 0 && (all.length > skipped + limit || pages.some((page) => page.more));
      return more ? { runs, more, below: { ...below, ...lastPlaces(all.slice(0, skipped + limit)) } } : { runs, more };
    },
  };
}

/** The place of each source's last row. */
const lastPlaces = (rows: readonly (Pick<CompleteRow, 'place'> & { readonly name: string })[]): Places =>
  Object.fromEntries(rows.map(({ name, place }): [string, Place] => [name, place]));
