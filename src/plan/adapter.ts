import type { RunJson } from '../domain/run-text.ts';
import type { Filter } from '../query/ast.ts';
import type { Cursor, RunQuery } from '../query/run-query.ts';

/** Where a source that is read from its start to its end stands, in rows and, where it has a word for that, in its own. */
export interface Place {
  readonly offset: number;
  /** A token of the source's own. */
  readonly mark?: string;
}

/** Places in several sources, by their names. */
export type Places = Readonly<Record<string, Place>>;

/**
 * Where a page begins: `offset` rows into the answer and, when known, right after `cursor`. Both say the same place;
 * a source uses whichever is cheaper for it. Offset 0 with no cursor is the start.
 */
export interface Position extends Place {
  readonly cursor?: Cursor;
  /** Of each source below a merged scan, by its name: a place before which it has no row that comes after `cursor`. */
  readonly below?: Places;
}

export interface PageRequest {
  /** Rows wanted: 1 to 50,000 (MLflow's bound). */
  readonly limit: number;
  readonly from: Position;
}

/** Rows of a page as the backend's own run JSON, which is spliced into the answer, so int64 and doubles stay exact. */
export interface RunPage {
  readonly runs: readonly RunJson[];
  /** Whether at least one more row follows. */
  readonly more: boolean;
  /** Where they follow, in words of the source's own; absent when it goes by offset. */
  readonly mark?: string | undefined;
  /** Where the next page of a merged scan begins, in the sources below it. */
  readonly below?: Places | undefined;
}

/** One source's share of a query, ready to fetch pages. */
export interface Scan {
  /** What the source leaves to the gateway; absent when it evaluates the whole filter exactly. */
  readonly residual: Filter | undefined;
  /** Those of the residual's terms that the source evaluates as well, so that it gives all that satisfy them and maybe more. */
  readonly doubtful?: readonly Filter[];
  /** How many of the query's leading order keys rows arrive by; as many as there are: in exactly its order. */
  readonly orderedBy: number;
  /** Whether a page may begin at a cursor, which then costs no more than the first page. */
  readonly resumable: boolean;
  /** The native query, for logs, tests and explain. */
  describe(): unknown;
  /**
   * @throws PositionOutOfReach when the source cannot start at `from` (an offset without a cursor beyond its window).
   * @throws GatewayError when the source fails.
   */
  fetch(page: PageRequest, signal: AbortSignal): Promise<RunPage>;
}

/** Whether a scan is the answer as it comes: nothing is left to be filtered or ordered. */
export const isExact = ({ residual, orderedBy }: Scan, { order }: Pick<RunQuery, 'order'>): boolean =>
  residual === undefined && orderedBy === order.length;

/** Anything that can answer a `RunQuery`: a backend, or an index. */
export interface RunAdapter {
  readonly name: string;
  /** Keeps the terms this source evaluates exactly as MLflow does; the others come back as `residual`. Never throws for one. No I/O. */
  pushDown(query: RunQuery): Scan;
  close(): Promise<void>;
}

/** The source has no cheap way to this place; another source does. */
export class PositionOutOfReach extends Error {
  override readonly name = 'PositionOutOfReach';
}
