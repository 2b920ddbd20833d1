import type { Dialect } from '../domain/dialect.ts';
import type { Field, Filter } from './ast.ts';

/** Which lifecycle stages of a run are wanted: MLflow's `run_view_type`. */
export type View = 'active' | 'deleted' | 'all';

/** What an ordering may look at: every field but datasets. */
export type OrderField = Exclude<Field, { entity: 'dataset' }>;

export interface OrderKey {
  readonly field: OrderField;
  readonly descending: boolean;
}

/** A search for runs, parsed once; everything below this point sees only this. */
export interface RunQuery {
  /** Decimal ids without leading zeros, each once, ascending by number. */
  readonly experimentIds: readonly string[];
  readonly view: View;
  /** Absent: every run. */
  readonly filter: Filter | undefined;
  /** The total order: what the caller asked for, then MLflow's tie-breakers (see `totalOrder`). */
  readonly order: readonly OrderKey[];
  /** Whose LIKE, ILIKE and text order are meant. */
  readonly dialect: Dialect;
}

/**
 * The place of one run under one key: its presence class (0 present, 1 NaN, or missing where NaN cannot be, 2 missing
 * metric), which sorts ascending whatever the direction, then its value, absent unless the class is 0.
 */
export interface CursorPart {
  readonly rank: 0 | 1 | 2;
  readonly value?: string | number | bigint;
}

/** The place of one run in a total order: one part per order key. */
export type Cursor = readonly CursorPart[];
