import { type JsonSource, jsonText, listOf, RawJson } from '../../../src/domain/json-text.ts';
import type { KeyValue, RunText } from '../../../src/plan/tracking-store.ts';
import { type Sql, sql } from '../sql.ts';
import type { Statements } from '../statements.ts';
import type { RunRow } from './run-rows.ts';

/**
 * MLflow shows a run in three ways: `runs/search` leaves out the models that went in, `runs/get` shows all, and
 * `runs/create` knows no outputs. What was logged comes in the order of its logging, tags of datasets and models by name.
 */
export type RunForm = 'search' | 'get' | 'create';

/** The JSON of a run, as it stands in the tables now. */
export function presentRun(statements: Statements, run: RunRow, form: RunForm): RunText {
  return jsonText({
    info: new RawJson(presentInfo(run)),
    data: {
      metrics: listOf(metricsOf(statements, run.id)),
      params: listOf(pairsOf(statements, sql`SELECT key, value FROM params WHERE run = ${run.id} ORDER BY position`)),
      tags: listOf(pairsOf(statements, sql`SELECT key, value FROM tags WHERE run = ${run.id} ORDER BY position`)),
    },
    inputs: {
      dataset_inputs: listOf(datasetsOf(statements, run)),
      model_inputs: form === 'get' ? listOf(modelInputsOf(statements, run.id)) : undefined,
    },
    outputs: form === 'create' ? undefined : { model_outputs: listOf(modelOutputsOf(statements, run.id)) },
  });
}

/** The order of the fields is the order of their numbers in MLflow's protocol. */
export const presentInfo = (run: RunRow): RunText =>
  jsonText({
    run_uuid: run.run_id,
    experiment_id: run.experiment_id,
    run_name: run.name ?? undefined,
    user_id: run.user_id ?? '',
    status: run.status,
    start_time: run.start_time,
    // MLflow takes a 0 for none.
    end_time: run.end_time || undefined,
    artifact_uri: run.artifact_uri || undefined,
    lifecycle_stage: run.stage,
    run_id: run.run_id,
  });

interface MetricRow {
  readonly key: string;
  readonly value: number;
  readonly nan: bigint;
  readonly timestamp: bigint;
  readonly step: bigint;
}

const metricsOf = (statements: Statements, run: bigint): JsonSource[] =>
  statements
    .all<MetricRow>(sql`
      SELECT key, value, nan, timestamp, step FROM metrics JOIN metric_series USING (run, key) WHERE run = ${run}
      ORDER BY id`)
    .map(({ key, value, nan, timestamp, step }) => ({ key, value: nan ? Number.NaN : value, timestamp, step }));

const pairsOf = (statements: Statements, query: Sql): JsonSource[] =>
  statements.all<KeyValue>(query).map(({ key, value }) => ({ key, value }));

interface DatasetRow {
  readonly position: bigint;
  readonly name: string;
  readonly digest: string;
  readonly source_type: string;
  readonly source: string;
  readonly schema: string | null;
  readonly profile: string | null;
}

const datasetsOf = (statements: Statements, { id, experiment_id }: RunRow): JsonSource[] =>
  statements
    .all<DatasetRow>(sql`
      SELECT position, name, digest, source_type, source, schema, profile
      FROM datasets JOIN dataset_details USING (name, digest)
      WHERE run = ${id} AND experiment_id = ${experiment_id} ORDER BY position`)
    .map(({ position, name, digest, source_type, source, schema, profile }) => ({
      tags: listOf(
        pairsOf(
          statements,
          sql`SELECT key, value FROM dataset_tags WHERE run = ${id} AND position = ${position} ORDER BY key`,
        ),
      ),
      dataset: { name, digest, source_type, source, schema: schema || undefined, profile: profile || undefined },
    }));

const modelInputsOf = (statements: Statements, run: bigint): JsonSource[] =>
  statements
    .all<{ model_id: string }>(sql`SELECT model_id FROM model_inputs WHERE run = ${run} ORDER BY model_id`)
    .map(({ model_id }) => ({ model_id }));

const modelOutputsOf = (statements: Statements, run: bigint): JsonSource[] =>
  statements
    .all<{ model_id: string; step: bigint }>(
      sql`SELECT model_id, step FROM model_outputs WHERE run = ${run} ORDER BY model_id`,
    )
    .map(({ model_id, step }) => ({ model_id, step }));
