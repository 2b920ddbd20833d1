import type { Field, NumberAttribute, StringAttribute } from './ast.ts';

/** What one kind of entity offers to filters: its prefixes, attributes and dataset keys, with every alias resolved. */
export interface FieldTable {
  /** Entity word before the dot, as MLflow spells it (case-sensitive). */
  readonly entities: ReadonlyMap<string, Field['entity']>;
  readonly attributes: ReadonlyMap<string, Extract<Field, { entity: 'attribute' }>['key']>;
  readonly numberAttributes: ReadonlySet<string>;
  /** Attributes that take IN and NOT IN. */
  readonly listAttributes: ReadonlySet<string>;
  /** Whether `like`, `in` and the other operator words may be written in lower case. */
  readonly operatorsIgnoreCase: boolean;
  readonly nullTests: ReadonlySet<Field['entity']>;
  /** Ids of experiments, short of 64 bits, where databases begin to differ. */
  readonly experimentId: RegExp;
}

const DECIMAL_ID = /^(?:0|[1-9]\d{0,17})$/;

const RUN_STRINGS: Record<StringAttribute, readonly string[]> = {
  run_id: ['run_id'],
  run_name: ['run_name', 'run name', 'Run name', 'Run Name'],
  status: ['status'],
  user_id: ['user_id'],
  artifact_uri: ['artifact_uri'],
};
const RUN_NUMBERS: Record<NumberAttribute, readonly string[]> = {
  start_time: ['start_time', 'created', 'Created'],
  end_time: ['end_time'],
};

const byAlias = <K extends string>(table: Record<K, readonly string[]>): [string, K][] =>
  (Object.entries(table) as [K, readonly string[]][]).flatMap(([key, aliases]) =>
    aliases.map((alias): [string, K] => [alias, key]),
  );

/** Runs: MLflow's `SearchUtils`. */
export const RUN_FIELDS: FieldTable = {
  entities: new Map<string, Field['entity']>([
    ...['metric', 'metrics'].map((word) => [word, 'metric'] as const),
    ...['param', 'params', 'parameter', 'parameters'].map((word) => [word, 'param'] as const),
    ...['tag', 'tags'].map((word) => [word, 'tag'] as const),
    ...['attribute', 'attributes', 'attr', 'run'].map((word) => [word, 'attribute'] as const),
    ...['dataset', 'datasets'].map((word) => [word, 'dataset'] as const),
  ]),
  attributes: new Map([...byAlias(RUN_STRINGS), ...byAlias(RUN_NUMBERS)]),
  numberAttributes: new Set(['start_time', 'end_time']),
  listAttributes: new Set(['run_id']),
  operatorsIgnoreCase: true,
  nullTests: new Set(['param', 'tag']),
  experimentId: DECIMAL_ID,
};

/** Experiments: MLflow's `SearchExperimentsUtils`, stricter than runs (no `attributes`, operators in upper case). */
export const EXPERIMENT_FIELDS: FieldTable = {
  entities: new Map<string, Field['entity']>([
    ['attribute', 'attribute'],
    ['tag', 'tag'],
    ['tags', 'tag'],
  ]),
  attributes: new Map([
    ['name', 'name'],
    ['experiment_id', 'experiment_id'],
    ['creation_time', 'creation_time'],
    ['last_update_time', 'last_update_time'],
  ] as const),
  numberAttributes: new Set(['creation_time', 'last_update_time']),
  listAttributes: new Set(['experiment_id']),
  operatorsIgnoreCase: false,
  nullTests: new Set(['tag']),
  experimentId: DECIMAL_ID,
};

/** Keys of runs that `order_by` takes: no `run name` aliases there. */
export const RUN_ORDER_ATTRIBUTES: ReadonlyMap<string, StringAttribute | NumberAttribute> = new Map([
  ...byAlias({ ...RUN_STRINGS, run_name: ['run_name'] }),
  ...byAlias(RUN_NUMBERS),
]);

export const DATASET_KEYS: ReadonlySet<string> = new Set(['name', 'digest', 'context']);
