import { presentRun } from './present-run.ts';
import type { RunRow } from './run-rows.ts';
import type { Statements } from './statements.ts';

/** Writes anew what `runs/search` shows of a run. The last step of every write to one, in its transaction. */
export function refreshRunText(statements: Statements, id: bigint): void {
  const run = statements.get<RunRow>('SELECT * FROM runs WHERE id = ?', id);
  if (!run) return;
  statements.run(
    'INSERT INTO run_texts (id, text) VALUES (?, ?) ON CONFLICT DO UPDATE SET text = excluded.text',
    ...[id, presentRun(statements, run, 'search')],
  );
}
