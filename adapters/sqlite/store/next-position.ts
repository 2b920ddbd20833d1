import { type KeyedTable, TABLES } from '../columns.ts';
import { sql } from '../sql.ts';
import type { Statements } from '../statements.ts';

/** The place behind all the params or tags that a run has. */
export const nextPosition = (statements: Statements, table: Exclude<KeyedTable, 'metrics'>, run: bigint): number =>
  Number(statements.value(sql`SELECT coalesce(max(position) + 1, 0) FROM ${TABLES[table].name} WHERE run = ${run}`));
