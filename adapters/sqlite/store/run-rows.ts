import { invalidParameter } from '../../../src/errors/gateway-error.ts';
import type { RunStatus, Stage } from '../../../src/plan/tracking-store.ts';
import { sql } from '../sql.ts';
import type { Statements } from '../statements.ts';
import { missing } from './refusals.ts';

export interface RunRow {
  readonly id: bigint;
  readonly run_id: string;
  readonly experiment_id: string;
  readonly stage: Stage;
  readonly start_time: bigint;
  readonly end_time: bigint | null;
  readonly name: string | null;
  readonly status: RunStatus;
  readonly user_id: string | null;
  readonly artifact_uri: string | null;
}

/** @throws GatewayError RESOURCE_DOES_NOT_EXIST */
export function findRun(statements: Statements, runId: string): RunRow {
  const row = statements.get<RunRow>(sql`SELECT * FROM runs WHERE run_id = ${runId}`);
  if (!row) throw missing(`Run with id=${runId} not found`);
  return row;
}

/** @throws GatewayError RESOURCE_DOES_NOT_EXIST; INVALID_PARAMETER_VALUE for a deleted run, which takes no writes */
export function findActiveRun(statements: Statements, runId: string): RunRow {
  const row = findRun(statements, runId);
  if (row.stage === 'active') return row;
  throw invalidParameter(`The run ${runId} must be in the 'active' state. Current state is ${row.stage}.`);
}
