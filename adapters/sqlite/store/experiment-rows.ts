import { invalidParameter } from '../../../src/errors/gateway-error.ts';
import type { Stage } from '../../../src/plan/tracking-store.ts';
import { sql } from '../sql.ts';
import type { Statements } from '../statements.ts';
import { missing } from './refusals.ts';
import { storedExperimentId } from './stored-experiment-id.ts';

export interface ExperimentRow {
  readonly id: bigint;
  readonly name: string;
  readonly artifact_location: string;
  readonly stage: Stage;
  readonly creation_time: bigint;
  readonly last_update_time: bigint;
}

/** @throws GatewayError RESOURCE_DOES_NOT_EXIST */
export function findExperiment(statements: Statements, experimentId: string): ExperimentRow {
  const id = storedExperimentId(experimentId);
  const row = statements.get<ExperimentRow>(sql`SELECT * FROM experiments WHERE id = ${id}`);
  if (!row) throw missing(`No Experiment with id=${id} exists`);
  return row;
}

/** @throws GatewayError RESOURCE_DOES_NOT_EXIST; INVALID_PARAMETER_VALUE for a deleted one */
export function findActiveExperiment(statements: Statements, experimentId: string): ExperimentRow {
  const row = findExperiment(statements, experimentId);
  if (row.stage === 'active') return row;
  throw invalidParameter(`The experiment ${row.id} must be in the 'active' state. Current state is ${row.stage}.`);
}
