import type { DatasetInput, TrackingStore } from '../../../src/plan/tracking-store.ts';
import { sql } from '../sql.ts';
import type { Statements } from '../statements.ts';
import { refreshRunText } from './refresh-run-text.ts';
import { refused } from './refusals.ts';
import { findActiveRun, type RunRow } from './run-rows.ts';
import { validateLength } from './validate-length.ts';
import { validateRunId } from './validate-run-id.ts';

/** The tag of an input that says what its dataset was for. */
const CONTEXT = 'mlflow.data.context';

export const inputs = (statements: Statements): Pick<TrackingStore, 'logInputs' | 'logOutputs'> => ({
  logInputs({ runId, datasets, modelIds }) {
    validateRunId(runId);
    datasets.forEach(validateDataset);
    const run = findActiveRun(statements, runId);
    for (const dataset of datasets) addDataset(statements, run, dataset);
    for (const modelId of modelIds) {
      statements.run(
        sql`INSERT INTO model_inputs (run, model_id) VALUES (${run.id}, ${modelId}) ON CONFLICT DO NOTHING`,
      );
    }
    refreshRunText(statements, run.id);
  },
  logOutputs({ runId, models }) {
    const { id } = findActiveRun(statements, runId);
    for (const { modelId, step } of models) {
      const added = statements.run(sql`
        INSERT INTO model_outputs (run, model_id, step) VALUES (${id}, ${modelId}, ${step}) ON CONFLICT DO NOTHING`);
      if (added === 0) throw refused(`The model '${modelId}' is an output of the run already.`);
    }
    refreshRunText(statements, id);
  },
});

function validateDataset({ name, digest, source, schema, profile, tags }: DatasetInput): void {
  validateLength('name', 500, name);
  validateLength('digest', 36, digest);
  validateLength('source', 65_535, source);
  validateLength('schema', 1_048_575, schema ?? '');
  validateLength('profile', 16_777_215, profile ?? '');
  for (const { key, value } of tags) {
    validateLength('key', 255, key);
    validateLength('value', 500, value);
  }
}

/**
 * A dataset belongs to its experiment: what was first logged under a name and digest stays. So does the first input of a
 * run from it, with its tags.
 */
function addDataset(statements: Statements, run: RunRow, dataset: DatasetInput): void {
  const { name, digest, sourceType, source, schema, profile } = dataset;
  statements.run(sql`
    INSERT INTO dataset_details (experiment_id, name, digest, source_type, source, schema, profile)
    VALUES (${run.experiment_id}, ${name}, ${digest}, ${sourceType}, ${source}, ${schema ?? null}, ${profile ?? null})
    ON CONFLICT DO NOTHING`);
  const context = dataset.tags.find(({ key }) => key === CONTEXT)?.value ?? null;
  const position = statements.value(sql`
    INSERT INTO datasets (run, position, name, digest, context)
    SELECT ${run.id}, (SELECT count(*) FROM datasets WHERE run = ${run.id}), ${name}, ${digest}, ${context}
    WHERE NOT EXISTS (SELECT 1 FROM datasets WHERE run = ${run.id} AND name = ${name} AND digest = ${digest})
    RETURNING position`);
  if (position === undefined) return;
  for (const { key, value } of dataset.tags) {
    const added = statements.run(sql`
      INSERT INTO dataset_tags (run, position, key, value) VALUES (${run.id}, ${position}, ${key}, ${value})
      ON CONFLICT DO NOTHING`);
    if (added === 0) throw refused(`Two tags of the dataset '${name}' have the key '${key}'.`);
  }
}
