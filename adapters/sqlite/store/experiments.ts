import { GatewayError, invalidParameter } from '../../../src/errors/gateway-error.ts';
import type {
  KeyValue,
  NewExperiment,
  Stage,
  StoredExperiment,
  TrackingStore,
} from '../../../src/plan/tracking-store.ts';
import { sql } from '../sql.ts';
import type { Statements } from '../statements.ts';
import { validateNewView, validateViews } from './custom-views.ts';
import { type ExperimentRow, findActiveExperiment, findExperiment } from './experiment-rows.ts';
import { now } from './now.ts';
import { missing } from './refusals.ts';
import { validateLength } from './validate-length.ts';
import { validateExperimentTag } from './validate-tag.ts';

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
    const row = statements.get<ExperimentRow>(sql`SELECT * FROM experiments WHERE name = ${name}`);
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
    const deleted = statements.run(sql`DELETE FROM experiment_tags WHERE experiment = ${id} AND key = ${key}`);
    if (deleted === 0) throw missing(`No tag with name: ${key} in experiment with id ${experimentId}`);
  },
  listExperiments: () => list(statements),
});

const MAX_NAME_LENGTH = 500;

function create(statements: Statements, { name, artifactLocation, tags }: NewExperiment): string {
  if (name === '') throw invalidParameter(`Invalid experiment name: ''`);
  validateViews(tags.map(({ key }) => key));
  validateLength('name', MAX_NAME_LENGTH, name);
  for (const tag of tags) validateExperimentTag(tag);
  const time = now();
  if (new Set(tags.map(({ key }) => key)).size < tags.length) throw taken(name, 'tags of one key');
  const id = statements.value(sql`
    INSERT INTO experiments (name, artifact_location, stage, creation_time, last_update_time)
    VALUES (${name}, ${artifactLocation}, 'active', ${time}, ${time}) ON CONFLICT (name) DO NOTHING RETURNING id`);
  if (typeof id !== 'bigint') throw taken(name, 'an experiment has this name, perhaps a deleted one');
  if (artifactLocation === '') {
    statements.run(sql`UPDATE experiments SET artifact_location = ${`mlflow-artifacts:/${id}`} WHERE id = ${id}`);
  }
  for (const tag of tags) setTag(statements, id, tag);
  return String(id);
}

const taken = (name: string, why: string) =>
  new GatewayError('RESOURCE_ALREADY_EXISTS', `Experiment(name=${name}) already exists. Error: ${why}`);

const setTag = (statements: Statements, experiment: bigint, { key, value }: KeyValue) =>
  statements.run(sql`
    INSERT INTO experiment_tags (experiment, key, value) VALUES (${experiment}, ${key}, ${value})
    ON CONFLICT DO UPDATE SET value = excluded.value`);

function rename(statements: Statements, experimentId: string, name: string): void {
  validateLength('name', MAX_NAME_LENGTH, name);
  const { id, stage } = findExperiment(statements, experimentId);
  if (stage !== 'active') throw new GatewayError('INVALID_STATE', 'Cannot rename a non-active experiment.');
  const holder = statements.value(sql`SELECT id FROM experiments WHERE name = ${name}`);
  if (holder !== undefined && holder !== id) {
    throw new GatewayError('BAD_REQUEST', `Another experiment, perhaps a deleted one, has the name '${name}'.`);
  }
  statements.run(sql`UPDATE experiments SET name = ${name}, last_update_time = ${now()} WHERE id = ${id}`);
}

/** MLflow takes every run along, also those that were deleted before, one by one. */
function move(statements: Statements, experimentId: string, from: Stage, to: Stage): void {
  const { id, stage } = findExperiment(statements, experimentId);
  if (stage !== from) throw missing(`No Experiment with id=${id} exists`);
  statements.run(sql`UPDATE experiments SET stage = ${to}, last_update_time = ${now()} WHERE id = ${id}`);
  const theirs = sql`experiment_id = ${String(id)} AND stage = ${from}`;
  // Quotes are escaped within strings, so this text can only be the field.
  statements.run(sql`
    UPDATE run_texts SET text = replace(text, ${`"lifecycle_stage":"${from}"`}, ${`"lifecycle_stage":"${to}"`})
    WHERE id IN (SELECT id FROM runs WHERE ${theirs})`);
  statements.run(sql`UPDATE runs SET stage = ${to} WHERE ${theirs}`);
}

const withTags = (statements: Statements, row: ExperimentRow): StoredExperiment =>
  toExperiment(
    row,
    statements.all(sql`SELECT key, value FROM experiment_tags WHERE experiment = ${row.id} ORDER BY id`),
  );

function list(statements: Statements): StoredExperiment[] {
  const tags = statements.all<KeyValue & { experiment: bigint }>(sql`SELECT * FROM experiment_tags ORDER BY id`);
  const byExperiment = Map.groupBy(tags, ({ experiment }) => experiment);
  return statements
    .all<ExperimentRow>(sql`SELECT * FROM experiments ORDER BY id`)
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
