import type { Run } from '../../src/domain/run.ts';
import { MAX_METRICS } from './mapping.ts';
import { columnPath, type KeyedEntity } from './promoted-columns.ts';
import { codeOfRunId } from './run-id-code.ts';
import { MISSING_CODE, NAN_CODE, sortableDouble } from './sortable.ts';
import { encodeKey, isIndexable, keyTerm } from './terms.ts';

/** A run as the index holds it; the fields are those of the mapping. Integers are text, since JSON's are doubles here. */
export interface RunDocument {
  /** In base64. */
  readonly run: string;
  readonly experiment_id: string;
  readonly run_id: string;
  readonly id_high: string;
  readonly id_low: string;
  readonly odd_id?: string | undefined;
  readonly stage: Run['lifecycleStage'];
  readonly status?: string | undefined;
  readonly user_id?: string | undefined;
  readonly artifact_uri?: string | undefined;
  readonly name?: string | undefined;
  readonly start_time: string;
  readonly end_time?: string | undefined;
  readonly params: readonly string[];
  readonly param_keys: readonly string[];
  readonly param_order: Readonly<Record<string, string>>;
  readonly tags: readonly string[];
  readonly tag_keys: readonly string[];
  readonly tag_order: Readonly<Record<string, string>>;
  readonly metrics: readonly { readonly key: string; readonly asc: string; readonly desc: string }[];
  readonly metric_nan: Readonly<Record<string, '1'>>;
  readonly metric_column: Readonly<Record<string, string>>;
  readonly param_column: Readonly<Record<string, string>>;
  readonly tag_column: Readonly<Record<string, string>>;
  readonly dataset_names: readonly string[];
  readonly dataset_digests: readonly string[];
  readonly dataset_contexts: readonly string[];
}

/**
 * Lays a run out for search. `text` is the same run as MLflow's JSON: what searches give back. `takes` says of which keys
 * the index has a column, or may have one from now on.
 */
export const encodeRun = (run: Run, text: string, takes: (path: string) => boolean): RunDocument => ({
  run: Buffer.from(text).toString('base64'),
  experiment_id: run.experimentId,
  run_id: run.runId,
  ...idColumnsOf(run.runId),
  stage: run.lifecycleStage,
  status: run.status,
  user_id: run.userId,
  artifact_uri: run.artifactUri,
  name: run.runName,
  start_time: String(run.startTime),
  end_time: run.endTime === undefined ? undefined : String(run.endTime),
  params: termsOf(run.params),
  param_keys: [...run.params.keys()],
  param_order: valuesOf(run.params),
  tags: termsOf(run.tags),
  tag_keys: [...run.tags.keys()],
  tag_order: valuesOf(run.tags),
  metrics: [...run.metrics].map(([key, value]) => ({ key, ...codesOf(value) })),
  metric_nan: Object.fromEntries([...run.metrics].filter(isNan).map(([key]) => [encodeKey(key), '1'])),
  metric_column: columnsOf('metric', run.metrics, takes, (value) =>
    Number.isNaN(value) ? undefined : codesOf(value).asc,
  ),
  param_column: columnsOf('param', run.params, takes, (value) => value),
  tag_column: columnsOf('tag', run.tags, takes, (value) => value),
  dataset_names: run.datasets.map(({ name }) => name),
  dataset_digests: run.datasets.map(({ digest }) => digest),
  dataset_contexts: run.datasets.flatMap(({ context }) => context ?? []),
});

function idColumnsOf(runId: string) {
  const { high, low, odd } = codeOfRunId(runId);
  return { id_high: String(high), id_low: String(low), odd_id: odd };
}

const termsOf = (pairs: ReadonlyMap<string, string>) => [...pairs].map(([key, value]) => keyTerm(key, value));

const valuesOf = (pairs: ReadonlyMap<string, string>) =>
  Object.fromEntries([...pairs].map(([key, value]) => [encodeKey(key), value]));

function codesOf(value: number) {
  if (Number.isNaN(value)) return { asc: String(NAN_CODE.ascending), desc: String(NAN_CODE.descending) };
  const code = String(sortableDouble(value));
  return { asc: code, desc: code };
}

const isNan = ([, value]: [string, number]) => Number.isNaN(value);

function columnsOf<V>(
  entity: KeyedEntity,
  pairs: ReadonlyMap<string, V>,
  takes: (path: string) => boolean,
  encode: (value: V) => string | undefined,
): Record<string, string> {
  const columns: Record<string, string> = {};
  for (const [key, value] of pairs) {
    const [path, code] = [columnPath(entity, key), encode(value)];
    if (path !== undefined && code !== undefined && takes(path)) columns[encodeKey(key)] = code;
  }
  return columns;
}

const MAX_ID_BYTES = 512;

/** Why the index cannot hold a run exactly; undefined when it can. */
export function problemWith(run: Run, document: RunDocument): string | undefined {
  if (Buffer.byteLength(run.runId) > MAX_ID_BYTES) return `Its id is over ${MAX_ID_BYTES} bytes.`;
  if (run.metrics.size > MAX_METRICS) return `It has more than ${MAX_METRICS} metrics.`;
  if (run.endTime === MISSING_CODE.ascending || run.endTime === MISSING_CODE.descending)
    return 'Its end_time is at the end of what 64 bits hold, which is how a missing one sorts.';
  const long = textsOf(document).find(([, texts]) => !texts.every(isIndexable));
  return long && `A text in its ${long[0]} is over 32,765 bytes, not valid Unicode, or holds a NUL.`;
}

function textsOf(document: RunDocument): [name: string, texts: readonly string[]][] {
  const { status, user_id, artifact_uri, name, metrics, ...rest } = document;
  const attributes = [status, user_id, artifact_uri, name].flatMap((text) => text ?? []);
  return [
    ['attributes', attributes],
    ['metrics', metrics.map(({ key }) => key)],
    ['params', [...rest.param_keys, ...rest.params]],
    ['tags', [...rest.tag_keys, ...rest.tags]],
    ['datasets', [...rest.dataset_names, ...rest.dataset_digests, ...rest.dataset_contexts]],
  ];
}
