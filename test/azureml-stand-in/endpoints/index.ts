import { emptyError } from '../azure-error.ts';
import type { Call, Endpoint } from '../workspace.ts';
import {
  createExperiment,
  deleteExperiment,
  getExperiment,
  getExperimentByName,
  updateExperiment,
  writeToExperiment,
} from './experiments.ts';
import { logBatch, logParameter } from './log-batch.ts';
import { getRunDataStatus, logBatchAsync } from './log-batch-async.ts';
import { getMetricHistory } from './metric-history.ts';
import { callRegistry, changeModel, searchModels } from './models.ts';
import { createRun, getRun, logInputs, setTag, updateRun, writeToRun } from './runs.ts';
import { listExperiments, searchExperiments } from './search-experiments.ts';
import { searchRuns } from './search-runs.ts';

/** By method and `path` of a call. */
const ENDPOINTS: Readonly<Record<string, Endpoint>> = {
  'POST experiments/create': createExperiment,
  'GET experiments/get': getExperiment,
  'GET experiments/get-by-name': getExperimentByName,
  'POST experiments/search': searchExperiments,
  'GET experiments/list': listExperiments,
  'POST experiments/update': updateExperiment,
  'POST experiments/delete': deleteExperiment,
  'POST experiments/restore': writeToExperiment,
  'POST experiments/set-experiment-tag': writeToExperiment,
  'POST experiments/delete-experiment-tag': writeToExperiment,
  'POST runs/create': createRun,
  'GET runs/get': getRun,
  'POST runs/search': searchRuns,
  'POST runs/update': updateRun,
  'POST runs/delete': writeToRun,
  'POST runs/restore': writeToRun,
  'POST runs/set-tag': setTag,
  'POST runs/delete-tag': writeToRun,
  'POST runs/log-metric': writeToRun,
  'POST runs/log-parameter': logParameter,
  'POST runs/log-batch': logBatch,
  'POST runs/log-inputs': logInputs,
  'GET metrics/get-history': getMetricHistory,
  'GET registered-models/search': searchModels,
  'POST registered-models/rename': changeModel,
  'DELETE registered-models/delete': changeModel,
  'POST 2.0/preview/mlflow/runs/log-batch-async': logBatchAsync,
  'GET 2.0/preview/mlflow/runs/get-run-data-status': getRunDataStatus,
};

/** @throws AzureError where nothing is. */
export function endpointFor({ method, path }: Pick<Call, 'method' | 'path'>): Endpoint {
  const endpoint = ENDPOINTS[`${method} ${path}`];
  if (endpoint) return endpoint;
  if (/^(registered-models|model-versions)\//.test(path)) return callRegistry;
  throw emptyError(404);
}

/** Whether a request changes nothing. */
export const isRead = ({ method, path }: Pick<Call, 'method' | 'path'>): boolean =>
  method === 'GET' || path.endsWith('/search');
