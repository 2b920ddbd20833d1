import type { CursorPart, OrderKey } from '../../src/query/run-query.ts';
import { orderPlaceOf, TABLES } from './columns.ts';
import { join, type Sql, sql } from './sql.ts';

/** One key of an order, as SQL. */
export interface OrderTerm {
  /** Joins what the key reads, if it is not in the run's own row. */
  readonly from: Sql | undefined;
  /** Presence class, ascending whatever the direction; undefined when the value is always there. */
  readonly rank: Sql | undefined;
  /** NULL or one and the same value wherever the rank is not 0, so that those tie. */
  readonly value: Sql;
  readonly descending: boolean;
}

/** Table aliases, so that an order may read a table several times. */
const ALIASES = Array.from({ length: 64 }, (_, i) => ({ text: `o${i}`, values: [] }) satisfies Sql);
const NEVER_MISSING = new Set(['run_id', 'start_time']);

/** The order in SQL terms. @throws RangeError with more than 64 keys. */
export const compileOrder = (order: readonly OrderKey[]): OrderTerm[] => order.map(compileKey);

function compileKey({ field, descending }: OrderKey, at: number): OrderTerm {
  const place = orderPlaceOf(field);
  if (place.kind === 'column') {
    const rank = NEVER_MISSING.has(field.key) ? undefined : sql`(${place.column} IS NULL)`;
    return { from: undefined, rank, value: place.column, descending };
  }
  const alias = ALIASES[at];
  if (!alias) throw new RangeError('An order has 64 keys at most.');
  const missing = sql`${alias}.run IS NULL`;
  return {
    from: sql`LEFT JOIN ${TABLES[place.table].name} AS ${alias} ON ${alias}.run = r.id AND ${alias}.key = ${place.key}`,
    rank: place.table === 'metrics' ? sql`(CASE WHEN ${missing} THEN 2 ELSE ${alias}.nan END)` : sql`(${missing})`,
    value: sql`${alias}.value`,
    descending,
  };
}

/** What comes after ORDER BY. */
export const printOrder = (terms: readonly OrderTerm[]): Sql =>
  join(
    terms.flatMap(({ rank, value, descending }) => [...(rank ? [rank] : []), descending ? sql`${value} DESC` : value]),
    ', ',
  );

/** Whether a row comes after a place: later by the first key, or level with it and later by the others. */
export function isAfter(terms: readonly OrderTerm[], cursor: readonly CursorPart[]): Sql {
  const [term, ...otherTerms] = terms;
  const [part, ...otherParts] = cursor;
  // Level in everything is the row itself.
  if (!term || !part) return sql`0`;
  const rest = isAfter(otherTerms, otherParts);
  const { rank, value, descending } = term;
  if (part.rank !== 0) return rank ? sql`(${rank} > ${part.rank} OR (${rank} = ${part.rank} AND ${rest}))` : rest;
  const place = part.value ?? null;
  const later = descending ? sql`${value} < ${place}` : sql`${value} > ${place}`;
  const here = sql`(${later} OR (${value} = ${place} AND ${rest}))`;
  return rank ? sql`(${rank} > 0 OR (${rank} = 0 AND ${here}))` : here;
}
