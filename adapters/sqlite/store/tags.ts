import { type PythonJson, pythonJson } from '../../../src/domain/python-text.ts';
import { GatewayError } from '../../../src/errors/gateway-error.ts';
import type { KeyValue, TrackingStore } from '../../../src/plan/tracking-store.ts';
import { sql } from '../sql.ts';
import type { Statements } from '../statements.ts';
import { nextPosition } from './next-position.ts';
import { refreshRunText } from './refresh-run-text.ts';
import { missing } from './refusals.ts';
import { findActiveRun } from './run-rows.ts';
import { validateTag } from './validate-tag.ts';

/** The tag that is the name of its run: setting it renames the run, deleting it does not. */
export const RUN_NAME = 'mlflow.runName';
const LOGGED_MODELS = 'mlflow.log-model.history';

export const tags = (statements: Statements): Pick<TrackingStore, 'setTag' | 'deleteTag' | 'logModel'> => ({
  setTag({ runId, key, value }) {
    const tag = validateTag({ key, value });
    const { id } = findActiveRun(statements, runId);
    setTags(statements, id, [tag]);
    refreshRunText(statements, id);
  },
  deleteTag({ runId, key }) {
    const { id } = findActiveRun(statements, runId);
    const deleted = statements.run(sql`DELETE FROM tags WHERE run = ${id} AND key = ${key}`);
    if (deleted === 0) throw missing(`No tag with name: ${key} in run with id ${runId}`);
    refreshRunText(statements, id);
  },
  logModel({ runId, entry }) {
    const { id } = findActiveRun(statements, runId);
    putTags(statements, id, [{ key: LOGGED_MODELS, value: withEntry(statements, id, entry) }]);
    refreshRunText(statements, id);
  },
});

/**
 * Sets validated tags, a later one over an earlier one. The run's name comes before the others, as MLflow writes them; an
 * empty one has no effect at all.
 */
export function setTags(statements: Statements, run: bigint, all: readonly KeyValue[]): void {
  const names = all.filter(({ key, value }) => key === RUN_NAME && value !== '');
  for (const { value } of names) statements.run(sql`UPDATE runs SET name = ${value} WHERE id = ${run}`);
  putTags(statements, run, [...names, ...all.filter(({ key }) => key !== RUN_NAME)]);
}

/** Writes the rows and nothing else. A tag that is there keeps its place. */
export function putTags(statements: Statements, run: bigint, all: readonly KeyValue[]): void {
  const position = nextPosition(statements, 'tags', run);
  for (const [at, { key, value }] of all.entries()) {
    statements.run(sql`
      INSERT INTO tags (run, key, value, position) VALUES (${run}, ${key}, ${value}, ${position + at})
      ON CONFLICT DO UPDATE SET value = excluded.value`);
  }
}

/** The list grows at the end of its text, so that what is in it stays as it was written. MLflow does not cut this tag. */
function withEntry(statements: Statements, run: bigint, entry: PythonJson): string {
  const before = statements.value(sql`SELECT value FROM tags WHERE run = ${run} AND key = ${LOGGED_MODELS}`);
  const text = pythonJson(entry, { spaced: true });
  if (typeof before !== 'string') return `[${text}]`;
  if (!isList(before)) {
    throw new GatewayError('INTERNAL_ERROR', `The run's tag ${LOGGED_MODELS} is no list of models.`);
  }
  const items = before.trim().slice(1, -1).trim();
  return items === '' ? `[${text}]` : `[${items}, ${text}]`;
}

function isList(text: string): boolean {
  try {
    return Array.isArray(JSON.parse(text));
  } catch {
    return false;
  }
}
