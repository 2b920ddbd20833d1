import { pythonRepr } from '../../../src/domain/python-text.ts';
import { invalidParameter } from '../../../src/errors/gateway-error.ts';
import type { KeyValue, TrackingStore } from '../../../src/plan/tracking-store.ts';
import { sql } from '../sql.ts';
import type { Statements } from '../statements.ts';
import { nextPosition } from './next-position.ts';
import { refreshRunText } from './refresh-run-text.ts';
import { findActiveRun } from './run-rows.ts';
import { validateParam } from './validate-param.ts';

export const params = (statements: Statements): Pick<TrackingStore, 'logParameter'> => ({
  logParameter({ runId, key, value }) {
    const param = validateParam({ key, value });
    const { id } = findActiveRun(statements, runId);
    const [conflict] = addParams(statements, id, [param]);
    if (conflict) {
      throw invalidParameter(
        `Changing param values is not allowed. Param with key='${key}' was already logged with ` +
          `value='${conflict.before}' for run ID='${runId}'. Attempted logging new value '${param.value}'.`,
      );
    }
    refreshRunText(statements, id);
  },
});

/** A param that has another value already: params never change. */
interface Conflict extends KeyValue {
  readonly before: string;
}

/** Adds validated params. @returns those it could not add: then the caller must not commit */
function addParams(statements: Statements, run: bigint, all: readonly KeyValue[]): Conflict[] {
  const position = nextPosition(statements, 'params', run);
  return all.flatMap(({ key, value }, at) => {
    const added = statements.run(sql`
      INSERT INTO params (run, key, value, position) VALUES (${run}, ${key}, ${value}, ${position + at})
      ON CONFLICT DO NOTHING`);
    if (added > 0) return [];
    const before = statements.value(sql`SELECT value FROM params WHERE run = ${run} AND key = ${key}`) as string;
    return before === value ? [] : [{ key, value, before }];
  });
}

/** @throws GatewayError INVALID_PARAMETER_VALUE, with all conflicts in Python's spelling */
export function addParamsOfBatch(
  statements: Statements,
  run: { id: bigint; run_id: string },
  all: readonly KeyValue[],
): void {
  const conflicts = addParams(statements, run.id, all);
  if (conflicts.length === 0) return;
  const logged = conflicts.map(({ key, value, before }) => ({ key, old_value: before, new_value: value }));
  throw invalidParameter(
    `Changing param values is not allowed. Params were already logged='${pythonRepr(logged)}' for run ID='${run.run_id}'.`,
  );
}
