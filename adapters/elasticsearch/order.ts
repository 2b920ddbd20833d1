import type { estypes } from '@elastic/elasticsearch';
import type { Cursor, CursorPart, OrderKey } from '../../src/query/run-query.ts';
import { MISSING_CODE, NAN_CODE, sortableDouble } from './sortable.ts';
import { encodeKey } from './terms.ts';

type SortClause = estypes.SortOptions;

/** A total order in sort clauses. Missing values come last both ways; the codes of NaN put it just before them. */
export const compileOrder = (order: readonly OrderKey[]): SortClause[] => order.map(compileKey);

function compileKey({ field: { entity, key }, descending }: OrderKey): SortClause {
  const last = { order: descending ? 'desc' : 'asc', missing: '_last' } as const;
  if (entity !== 'metric') return { [pathOf(entity, key)]: last };
  const nested = { path: 'metrics', filter: { term: { 'metrics.key': key } } };
  return { [descending ? 'metrics.desc' : 'metrics.asc']: { ...last, nested } };
}

function pathOf(entity: 'param' | 'tag' | 'attribute', key: string): string {
  if (entity === 'attribute') return key === 'run_name' ? 'name' : key;
  return `${entity}_order.${encodeKey(key)}`;
}

/** What the sort values of the run at this place are: the next page begins after them. */
export const compileCursor = (cursor: Cursor, order: readonly OrderKey[]): estypes.SortResults =>
  order.map((key, i) => sortValue(key, cursor[i] ?? { rank: 1 }));

function sortValue({ field: { entity, key }, descending }: OrderKey, { rank, value }: CursorPart): string | null {
  const direction = descending ? 'descending' : 'ascending';
  const missing = String(MISSING_CODE[direction]);
  if (entity === 'metric') {
    if (rank === 0) return String(sortableDouble(Number(value)));
    return rank === 1 ? String(NAN_CODE[direction]) : missing;
  }
  if (rank === 0) return String(value);
  return entity === 'attribute' && (key === 'start_time' || key === 'end_time') ? missing : null;
}
