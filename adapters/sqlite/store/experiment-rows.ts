import type { Stage } from '../../../src/plan/tracking-store.ts';
import { sql } from '../sql.ts';
import type { Statements } from '../statements.ts';
import { experimentIdOf } from './experiment-id.ts';
import { invalid, missing } from './invalid.ts';

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
  const id = experimentIdOf(experimentId);
  const row = statements.get<ExperimentRow>(sql`SELECT * FROM experiments WHERE id = ${id}`);
  if (!row) throw missing(`No Experiment with id=${id} exists`);
  return row;
}

/** @throws GatewayError RESOURCE_DOES_NOT_EXIST; INVALID_PARAMETER_VALUE for a deleted one */
export function findActiveExperiment(statements: Statements, experimentId: string): ExperimentRow {
  const row = findExperiment(statements, experimentId);
  if (row.stage === 'active') return row;
  throw invalid(`The experiment ${row.id} must be in the 'active' state. Current state is ${row.stage}.`);
}
