import { GatewayError } from '../../../src/errors/gateway-error.ts';
import type {
  KeyValue,
  NewExperiment,
  Stage,
  StoredExperiment,
  TrackingStore,
} from '../../../src/plan/tracking-store.ts';
import { validateNewView, validateViews } from './custom-views.ts';
import { experimentIdOf } from './experiment-id.ts';
import { invalid, missing } from './invalid.ts';
import { now } from './now.ts';
import type { Statements } from './statements.ts';
import { validateLength } from './validate-key.ts';
import { validateExperimentTag } from './validate-tag.ts';

interface ExperimentRow {
  readonly id: bigint;
  readonly name: string;
  readonly artifact_location: string;
  readonly stage: Stage;
  readonly creation_time: bigint;
  readonly last_update_time: bigint;
}

type Operations =
  | 'createExperiment'
  | 'getExperiment'
  | 'getExperimentByName'
  | 'updateExperiment'
  | 'deleteExperiment'
  | 'restoreExperiment'
  | 'setExperimentTag'
  | 'deleteExperimentTag'
  | 'listExperiments';

export const experiments = (statements: Statements): Pick<TrackingStore, Operations> => ({
  createExperiment: (experiment) => create(statements, experiment),
  getExperiment: ({ experimentId }) => withTags(statements, findExperiment(statements, experimentId)),
  getExperimentByName({ name }) {
    const row = statements.get<ExperimentRow>('SELECT * FROM experiments WHERE name = ?', name);
    if (!row) throw missing(`Could not find experiment with name '${name}'`);
    return withTags(statements, row);
  },
  updateExperiment: ({ experimentId, newName }) => rename(statements, experimentId, newName),
  deleteExperiment: ({ experimentId }) => move(statements, experimentId, 'active', 'deleted'),
  restoreExperiment: ({ experimentId }) => move(statements, experimentId, 'deleted', 'active'),
  setExperimentTag({ experimentId, key, value }) {
    validateExperimentTag({ key, value });
    const { id } = findActiveExperiment(statements, experimentId);
    validateNewView(statements, id, key);
    setTag(statements, id, { key, value });
  },
  deleteExperimentTag({ experimentId, key }) {
    const { id } = findActiveExperiment(statements, experimentId);
    const deleted = statements.run('DELETE FROM experiment_tags WHERE experiment = ? AND key = ?', id, key);
    if (deleted === 0) throw missing(`No tag with name: ${key} in experiment with id ${experimentId}`);
  },
  listExperiments: () => list(statements),
});

/** @throws GatewayError RESOURCE_DOES_NOT_EXIST */
export function findExperiment(statements: Statements, experimentId: string): ExperimentRow {
  const id = experimentIdOf(experimentId);
  const row = statements.get<ExperimentRow>('SELECT * FROM experiments WHERE id = ?', id);
  if (!row) throw missing(`No Experiment with id=${id} exists`);
  return row;
}

/** @throws GatewayError RESOURCE_DOES_NOT_EXIST; INVALID_PARAMETER_VALUE for a deleted one */
export function findActiveExperiment(statements: Statements, experimentId: string): ExperimentRow {
  const row = findExperiment(statements, experimentId);
  if (row.stage === 'active') return row;
  throw invalid(`The experiment ${row.id} must be in the 'active' state. Current state is ${row.stage}.`);
}

const MAX_NAME_LENGTH = 500;

function create(statements: Statements, { name, artifactLocation, tags }: NewExperiment): string {
  if (name === '') throw invalid(`Invalid experiment name: ''`);
  validateViews(tags.map(({ key }) => key));
  validateLength('name', MAX_NAME_LENGTH, name);
  for (const tag of tags) validateExperimentTag(tag);
  const time = now();
  if (new Set(tags.map(({ key }) => key)).size < tags.length) throw taken(name, 'tags of one key');
  const { id } = statements.get<{ id: bigint }>(
    `INSERT INTO experiments (name, artifact_location, stage, creation_time, last_update_time)
     VALUES (?, ?, 'active', ?, ?) ON CONFLICT (name) DO NOTHING RETURNING id`,
    ...[name, artifactLocation, time, time],
  ) ?? { id: undefined };
  if (id === undefined) throw taken(name, 'an experiment has this name, perhaps a deleted one');
  if (artifactLocation === '') {
    statements.run('UPDATE experiments SET artifact_location = ? WHERE id = ?', `mlflow-artifacts:/${id}`, id);
  }
  for (const tag of tags) setTag(statements, id, tag);
  return String(id);
}

const taken = (name: string, why: string) =>
  new GatewayError('RESOURCE_ALREADY_EXISTS', `Experiment(name=${name}) already exists. Error: ${why}`);

const setTag = (statements: Statements, experiment: bigint, { key, value }: KeyValue) =>
  statements.run(
    `INSERT INTO experiment_tags (experiment, key, value) VALUES (?, ?, ?)
     ON CONFLICT DO UPDATE SET value = excluded.value`,
    ...[experiment, key, value],
  );

function rename(statements: Statements, experimentId: string, name: string): void {
  validateLength('name', MAX_NAME_LENGTH, name);
  const { id, stage } = findExperiment(statements, experimentId);
  if (stage !== 'active') throw new GatewayError('INVALID_STATE', 'Cannot rename a non-active experiment.');
  const holder = statements.get<{ id: bigint }>('SELECT id FROM experiments WHERE name = ?', name);
  if (holder && holder.id !== id) {
    throw new GatewayError('BAD_REQUEST', `Another experiment, perhaps a deleted one, has the name '${name}'.`);
  }
  statements.run('UPDATE experiments SET name = ?, last_update_time = ? WHERE id = ?', name, now(), id);
}

/** MLflow takes every run along, also those that were deleted before, one by one. */
function move(statements: Statements, experimentId: string, from: Stage, to: Stage): void {
  const { id, stage } = findExperiment(statements, experimentId);
  if (stage !== from) throw missing(`No Experiment with id=${id} exists`);
  statements.run('UPDATE experiments SET stage = ?, last_update_time = ? WHERE id = ?', to, now(), id);
  // Quotes are escaped within strings, so this text can only be the field.
  statements.run(
    `UPDATE run_texts SET text = replace(text, ?, ?)
     WHERE id IN (SELECT id FROM runs WHERE experiment_id = ? AND stage = ?)`,
    ...[`"lifecycle_stage":"${from}"`, `"lifecycle_stage":"${to}"`, String(id), from],
  );
  statements.run('UPDATE runs SET stage = ? WHERE experiment_id = ? AND stage = ?', to, String(id), from);
}

const withTags = (statements: Statements, row: ExperimentRow): StoredExperiment =>
  toExperiment(row, statements.all('SELECT key, value FROM experiment_tags WHERE experiment = ? ORDER BY key', row.id));

function list(statements: Statements): StoredExperiment[] {
  const tags = statements.all<KeyValue & { experiment: bigint }>('SELECT * FROM experiment_tags ORDER BY key');
  const byExperiment = Map.groupBy(tags, ({ experiment }) => experiment);
  return statements
    .all<ExperimentRow>('SELECT * FROM experiments ORDER BY id')
    .map((row) => toExperiment(row, byExperiment.get(row.id) ?? []));
}

const toExperiment = (row: ExperimentRow, tags: readonly KeyValue[]): StoredExperiment => ({
  experimentId: String(row.id),
  name: row.name,
  artifactLocation: row.artifact_location,
  stage: row.stage,
  creationTime: row.creation_time,
  lastUpdateTime: row.last_update_time,
  tags: tags.map(({ key, value }) => ({ key, value })),
});
