import type { Field } from '../../src/query/ast.ts';
import { type Sql, sql } from './sql.ts';

/** Tables with one row for each key of a run. */
export type KeyedTable = 'metrics' | 'params' | 'tags';

/** Where a field is kept: in a table by its key, in the run's own row, or in several rows of `datasets`. */
export type Place =
  | { readonly kind: 'keyed'; readonly table: KeyedTable; readonly key: string }
  | { readonly kind: 'column'; readonly column: Sql }
  | { readonly kind: 'dataset'; readonly column: Sql };

const COLUMNS: Readonly<Record<string, Sql>> = {
  run_id: sql`r.run_id`,
  run_name: sql`r.name`,
  status: sql`r.status`,
  user_id: sql`r.user_id`,
  artifact_uri: sql`r.artifact_uri`,
  start_time: sql`r.start_time`,
  end_time: sql`r.end_time`,
};
const DATASET_COLUMNS = { name: sql`name`, digest: sql`digest`, context: sql`context` } as const;

/** Names of the keyed tables and of their indexes by value, as SQL. */
export const TABLES: Readonly<Record<KeyedTable, { readonly name: Sql; readonly byValue: Sql }>> = {
  metrics: { name: sql`metrics`, byValue: sql`metrics_by_value` },
  params: { name: sql`params`, byValue: sql`params_by_value` },
  tags: { name: sql`tags`, byValue: sql`tags_by_value` },
};

/** Where an ordering reads a field. */
export function orderPlaceOf({ entity, key }: Field): Exclude<Place, { kind: 'dataset' }> {
  if (entity === 'metric' || entity === 'param' || entity === 'tag') return { kind: 'keyed', table: `${entity}s`, key };
  const column = COLUMNS[key];
  if (entity === 'dataset' || !column) throw new TypeError(`Runs are not ordered by ${entity} ${key}.`);
  return { kind: 'column', column };
}

/** Where a filter reads a field: of the run's name, the tag, as MLflow does. */
export function filterPlaceOf(field: Field): Place {
  if (field.entity === 'dataset') return { kind: 'dataset', column: DATASET_COLUMNS[field.key] };
  if (field.entity === 'attribute' && field.key === 'run_name')
    return { kind: 'keyed', table: 'tags', key: 'mlflow.runName' };
  return orderPlaceOf(field);
}
