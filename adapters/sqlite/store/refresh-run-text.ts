import { sql } from '../sql.ts';
import type { Statements } from '../statements.ts';
import { presentRun } from './present-run.ts';
import type { RunRow } from './run-rows.ts';

/** Writes anew what `runs/search` shows of a run. The last step of every write to one, in its transaction. */
export function refreshRunText(statements: Statements, id: bigint): void {
  const run = statements.get<RunRow>(sql`SELECT * FROM runs WHERE id = ${id}`);
  if (!run) return;
  statements.run(sql`
    INSERT INTO run_texts (id, text) VALUES (${id}, ${presentRun(statements, run, 'search')})
    ON CONFLICT DO UPDATE SET text = excluded.text`);
}
