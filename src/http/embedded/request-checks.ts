import {
  atMost,
  atMostRuns,
  type Checks,
  entriesHave,
  hasStrings,
  isArray,
  isFloatLike,
  isIntLike,
  isString,
  required,
  within,
} from './checks.ts';
import type { RequestName } from './messages.ts';

const requiredString = [required, isString];
const experimentId = { experiment_id: requiredString };
const runId = { run_id: requiredString };

/** What MLflow's handlers ask of each request (`mlflow/server/handlers.py`). The order decides which error is told. */
export const CHECKS: Readonly<Record<RequestName, Checks>> = {
  'experiments/create': { name: requiredString, artifact_location: [isString], tags: [isArray] },
  'experiments/get': experimentId,
  'experiments/get-by-name': { experiment_name: requiredString },
  'experiments/update': { ...experimentId, new_name: [isString, required] },
  'experiments/delete': experimentId,
  'experiments/restore': experimentId,
  'experiments/set-experiment-tag': { ...experimentId, key: requiredString, value: [isString] },
  'experiments/delete-experiment-tag': { ...experimentId, key: requiredString },
  'experiments/search-datasets': {},
  'experiments/search': {
    view_type: [isIntLike],
    max_results: [isIntLike],
    order_by: [isArray],
    filter: [isString],
    page_token: [isString],
  },
  'runs/search': {
    experiment_ids: [isArray],
    filter: [isString],
    max_results: [isIntLike, atMost(50_000n)],
    order_by: [isArray, hasStrings],
  },
  'runs/create': { experiment_id: [isString], start_time: [isIntLike], run_name: [isString] },
  'runs/get': runId,
  'runs/update': { ...runId, end_time: [isIntLike], status: [isString], run_name: [isString] },
  'runs/delete': runId,
  'runs/restore': runId,
  'runs/log-metric': {
    ...runId,
    key: requiredString,
    value: [required, isFloatLike],
    timestamp: [isIntLike, required],
    step: [isIntLike],
    model_id: [isString],
    dataset_name: [isString],
    dataset_digest: [isString],
  },
  'runs/log-parameter': { ...runId, key: requiredString, value: [isString] },
  'runs/set-tag': { ...runId, key: requiredString, value: [isString] },
  'runs/delete-tag': { ...runId, key: requiredString },
  'runs/log-batch': {
    run_id: [isString, required],
    metrics: [isArray, entriesHave('metrics', 'key', 'value', 'timestamp')],
    params: [isArray, entriesHave('params', 'key')],
    tags: [isArray, entriesHave('tags', 'key')],
  },
  'runs/log-model': { run_id: [isString, required], model_json: [isString, required] },
  'runs/log-inputs': { ...runId, datasets: [isArray], models: [isArray] },
  'runs/outputs': { ...runId, models: [required, isArray] },
  'metrics/get-history': {
    run_id: [isString, required],
    metric_key: [isString, required],
    page_token: [isString],
  },
  'metrics/get-history-bulk-interval': {
    run_ids: [required, isArray, hasStrings, atMostRuns(100)],
    metric_key: requiredString,
    start_step: [isIntLike],
    end_step: [isIntLike],
    max_results: [isIntLike, within('max_results', 1n, 2_500n)],
  },
};
