/** The types of MLflow's protocol that its requests use. */
export type FieldType =
  | 'string'
  | 'int32'
  | 'int64'
  | 'double'
  /** Names and their numbers. */
  | { readonly names: Readonly<Record<string, bigint>> }
  | { readonly message: MessageType };

export interface Field {
  readonly type: FieldType;
  readonly repeated?: true;
}

/** Fields by name, in the order of the protocol's declaration: a query string is read in that order. */
export type MessageType = Readonly<Record<string, Field>>;

const string: Field = { type: 'string' };
const int32: Field = { type: 'int32' };
const int64: Field = { type: 'int64' };
const double: Field = { type: 'double' };
const strings: Field = { type: 'string', repeated: true };
const list = (message: MessageType): Field => ({ type: { message }, repeated: true });

const KEY_VALUE: MessageType = { key: string, value: string };
const METRIC: MessageType = {
  key: string,
  value: double,
  timestamp: int64,
  step: int64,
  dataset_name: string,
  dataset_digest: string,
  model_id: string,
  run_id: string,
};
const DATASET: MessageType = {
  name: string,
  digest: string,
  source_type: string,
  source: string,
  schema: string,
  profile: string,
};
const STATUS: Field = {
  type: { names: { RUNNING: 1n, SCHEDULED: 2n, FINISHED: 3n, FAILED: 4n, KILLED: 5n } },
};

const VIEW_TYPE: Field = { type: { names: { ACTIVE_ONLY: 1n, DELETED_ONLY: 2n, ALL: 3n } } };

/** MLflow's requests (`mlflow/protos/service.proto`), by the endpoint they are for. */
export const MESSAGES = {
  'experiments/create': { name: string, artifact_location: string, tags: list(KEY_VALUE) },
  'experiments/get': { experiment_id: string },
  'experiments/get-by-name': { experiment_name: string },
  'experiments/update': { experiment_id: string, new_name: string },
  'experiments/delete': { experiment_id: string },
  'experiments/restore': { experiment_id: string },
  'experiments/set-experiment-tag': { experiment_id: string, key: string, value: string },
  'experiments/delete-experiment-tag': { experiment_id: string, key: string },
  'experiments/search-datasets': { experiment_ids: strings },
  'experiments/search': {
    max_results: int64,
    page_token: string,
    filter: string,
    order_by: strings,
    view_type: VIEW_TYPE,
  },
  'runs/search': {
    experiment_ids: strings,
    filter: string,
    run_view_type: VIEW_TYPE,
    max_results: int32,
    order_by: strings,
    page_token: string,
  },
  'runs/create': {
    experiment_id: string,
    user_id: string,
    run_name: string,
    start_time: int64,
    tags: list(KEY_VALUE),
  },
  'runs/get': { run_id: string, run_uuid: string },
  'runs/update': { run_id: string, run_uuid: string, status: STATUS, end_time: int64, run_name: string },
  'runs/delete': { run_id: string },
  'runs/restore': { run_id: string },
  'runs/log-metric': {
    run_id: string,
    run_uuid: string,
    key: string,
    value: double,
    timestamp: int64,
    step: int64,
    model_id: string,
    dataset_name: string,
    dataset_digest: string,
  },
  'runs/log-parameter': { run_id: string, run_uuid: string, key: string, value: string },
  'runs/set-tag': { run_id: string, run_uuid: string, key: string, value: string },
  'runs/delete-tag': { run_id: string, key: string },
  'runs/log-batch': { run_id: string, metrics: list(METRIC), params: list(KEY_VALUE), tags: list(KEY_VALUE) },
  'runs/log-model': { run_id: string, model_json: string },
  'runs/log-inputs': {
    run_id: string,
    datasets: list({ tags: list(KEY_VALUE), dataset: { type: { message: DATASET } } }),
    models: list({ model_id: string }),
  },
  'runs/outputs': { run_id: string, models: list({ model_id: string, step: int64 }) },
  'metrics/get-history': {
    run_id: string,
    run_uuid: string,
    metric_key: string,
    page_token: string,
    max_results: int32,
  },
  'metrics/get-history-bulk-interval': {
    run_ids: strings,
    metric_key: string,
    start_step: int32,
    end_step: int32,
    max_results: int32,
  },
} as const satisfies Record<string, MessageType>;

export type RequestName = keyof typeof MESSAGES;
