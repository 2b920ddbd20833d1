import type { estypes } from '@elastic/elasticsearch';
import type { Cursor, CursorPart, OrderKey } from '../../src/query/run-query.ts';
import { type Columns, columnPath, type KeyedEntity, NO_COLUMNS } from './promoted-columns.ts';
import { codeOfRunId } from './run-id-code.ts';
import { MISSING_CODE, NAN_CODE, sortableDouble } from './sortable.ts';
import { encodeKey } from './terms.ts';

type SortClause = estypes.SortOptions;

/**
 * A total order in sort clauses. Missing values come last both ways, NaN just before them: by its code among nested metrics,
 * by a clause of its own after a column, which holds no NaN.
 */
export const compileOrder = (order: readonly OrderKey[], columns: Columns = NO_COLUMNS): SortClause[] =>
  order.flatMap((key) => compileKey(key, columns));

function compileKey({ field: { entity, key }, descending }: OrderKey, columns: Columns): SortClause[] {
  const last = { order: descending ? 'desc' : 'asc', missing: '_last' } as const;
  if (entity === 'attribute' && key === 'run_id')
    return [{ id_high: last }, { id_low: last }, { odd_id: { ...last, missing: descending ? '_last' : '_first' } }];
  if (entity === 'attribute') return [{ [key === 'run_name' ? 'name' : key]: last }];
  const column = knownColumn(entity, key, columns);
  if (entity !== 'metric') return [{ [column ?? `${entity}_order.${encodeKey(key)}`]: last }];
  if (column) return [{ [column]: last }, { [`metric_nan.${encodeKey(key)}`]: { order: 'asc', missing: '_last' } }];
  const nested = { path: 'metrics', filter: { term: { 'metrics.key': key } } };
  return [{ [descending ? 'metrics.desc' : 'metrics.asc']: { ...last, nested } }];
}

function knownColumn(entity: KeyedEntity, key: string, columns: Columns): string | undefined {
  const path = columnPath(entity, key);
  return path !== undefined && columns.has(path) ? path : undefined;
}

/** What the sort values of the run at this place are, by the same columns: the next page begins after them. */
export const compileCursor = (
  cursor: Cursor,
  order: readonly OrderKey[],
  columns: Columns = NO_COLUMNS,
): estypes.SortResults => order.flatMap((key, i) => sortValues(key, cursor[i] ?? { rank: 1 }, columns));

/**
 * What the rows after this place have in common, where the order begins with the start time as the index does. Elasticsearch looks
 * the bound up in the sorted index; after a cursor alone it goes through all rows before it.
 */
export function compileBound(
  [first]: Cursor,
  [leading]: readonly OrderKey[],
): estypes.QueryDslQueryContainer | undefined {
  if (leading?.field.entity !== 'attribute' || leading.field.key !== 'start_time' || first?.rank !== 0)
    return undefined;
  return { range: { start_time: { [leading.descending ? 'lte' : 'gte']: String(first.value) } } };
}

function sortValues(
  { field: { entity, key }, descending }: OrderKey,
  { rank, value }: CursorPart,
  columns: Columns,
): (string | null)[] {
  const direction = descending ? 'descending' : 'ascending';
  const missing = String(MISSING_CODE[direction]);
  if (entity === 'metric') {
    const code = rank === 0 ? String(sortableDouble(Number(value))) : undefined;
    if (knownColumn(entity, key, columns)) return [code ?? missing, rank === 1 ? '1' : null];
    return [code ?? (rank === 1 ? String(NAN_CODE[direction]) : missing)];
  }
  if (rank === 0 && entity === 'attribute' && key === 'run_id') return idValues(String(value));
  if (rank === 0) return [String(value)];
  return [entity === 'attribute' && (key === 'start_time' || key === 'end_time') ? missing : null];
}

function idValues(runId: string): (string | null)[] {
  const { high, low, odd } = codeOfRunId(runId);
  return [String(high), String(low), odd ?? null];
}
