import type { Run } from '../domain/run.ts';
import type { Field } from './ast.ts';
import type { Cursor, CursorPart, OrderField, OrderKey } from './run-query.ts';

const START_TIME: OrderField = { entity: 'attribute', key: 'start_time' };
const RUN_ID: OrderField = { entity: 'attribute', key: 'run_id' };

export const sameField = (a: Field, b: Field) => a.entity === b.entity && a.key === b.key;

/**
 * What MLflow sorts by: the keys asked for, then `start_time DESC` unless it is among them, then always `run_id ASC`.
 * Run ids are unique, so this is a total order and pages are stable.
 */
export function totalOrder(asked: readonly OrderKey[]): readonly OrderKey[] {
  const has = (field: OrderField) => asked.some((key) => sameField(key.field, field));
  return [
    ...asked,
    ...(has(START_TIME) ? [] : [{ field: START_TIME, descending: true }]),
    ...(has(RUN_ID) ? [] : [{ field: RUN_ID, descending: false }]),
  ];
}

const present = (value: string | bigint | undefined): CursorPart =>
  value === undefined ? { rank: 1 } : { rank: 0, value };

function attributePart(run: Run, key: string): CursorPart {
  switch (key) {
    case 'run_id':
      return present(run.runId);
    case 'run_name':
      return present(run.runName);
    case 'status':
      return present(run.status);
    case 'user_id':
      return present(run.userId);
    case 'artifact_uri':
      return present(run.artifactUri);
    case 'start_time':
      return present(run.startTime);
    case 'end_time':
      return present(run.endTime);
    default:
      throw new TypeError(`Runs are not ordered by ${key}.`);
  }
}

function metricPart(value: number | undefined): CursorPart {
  if (value === undefined) return { rank: 2 };
  return Number.isNaN(value) ? { rank: 1 } : { rank: 0, value };
}

function partOf(run: Run, { entity, key }: OrderField): CursorPart {
  if (entity === 'metric') return metricPart(run.metrics.get(key));
  if (entity === 'param') return present(run.params.get(key));
  if (entity === 'tag') return present(run.tags.get(key));
  return attributePart(run, key);
}

/** The place of a run in an order. */
export const cursorOf = (run: Run, order: readonly OrderKey[]): Cursor => order.map(({ field }) => partOf(run, field));

const isSurrogate = (unit: number) => unit >= 0xd800 && unit <= 0xdfff;

/** Compares by code point, which is the order of UTF-8 bytes (SQLite's BINARY, PostgreSQL's C) and not that of UTF-16. */
export function compareText(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x === y) continue;
    // A surrogate is half of a code point above every single unit.
    if (isSurrogate(x) !== isSurrogate(y)) return isSurrogate(x) ? 1 : -1;
    return x - y;
  }
  return a.length - b.length;
}

function compareValues(a: CursorPart['value'], b: CursorPart['value']): number {
  if (typeof a === 'string' && typeof b === 'string') return compareText(a, b);
  if (a === undefined || b === undefined || a === b) return 0;
  return a < b ? -1 : 1;
}

/**
 * Compares two places: per key first the presence class, ascending whatever the direction, so that NaN and then missing
 * values come last both ways; then the value in the asked direction.
 */
export function compareCursors(a: Cursor, b: Cursor, order: readonly OrderKey[]): number {
  for (const [i, { descending }] of order.entries()) {
    const x = a[i];
    const y = b[i];
    if (!x || !y) throw new TypeError('A cursor has as many parts as its order has keys.');
    if (x.rank !== y.rank) return x.rank - y.rank;
    const byValue = compareValues(x.value, y.value);
    if (byValue !== 0) return descending ? -byValue : byValue;
  }
  return 0;
}

/** The reference ordering, as a comparator for `Array.prototype.sort`. */
export const compareRuns =
  (order: readonly OrderKey[]) =>
  (a: Run, b: Run): number =>
    compareCursors(cursorOf(a, order), cursorOf(b, order), order);
