import { type JsonSource, jsonText } from '../../domain/json-text.ts';
import { parsePythonBody } from '../../domain/parse-python-json.ts';
import type { TrackingOperation, TrackingStore } from '../../plan/tracking-store.ts';
import { writePageOffset } from '../../query/page-offset.ts';
import type { Message } from './fill-message.ts';
import type { RequestName } from './messages.ts';
import {
  presentBulkHistory,
  presentDatasets,
  presentExperiment,
  presentHistory,
  presentRunHistory,
  presentRunText,
} from './present.ts';
import { checkContentType, type RawRequest, readRequest } from './read-request.ts';
import {
  bulkHistoryRequest,
  datasetSearch,
  historyRequest,
  keyValueOf,
  loggedMetric,
  modelEntry,
  modelOutputs,
  newExperiment,
  newRun,
  runBatch,
  runIdOf,
  runInputs,
  runUpdate,
  sampledHistoryRequest,
  text,
} from './requests.ts';
import { ServerFault } from './server-fault.ts';

/** Runs an operation of the store, wherever it is. */
export type CallStore = <Operation extends TrackingOperation>(
  operation: Operation,
  argument: Parameters<TrackingStore[Operation]>[0],
) => Promise<ReturnType<TrackingStore[Operation]>>;

export interface EmbeddedEndpoint {
  readonly method: 'GET' | 'POST';
  /** Whether a POST endpoint takes a GET as well. */
  readonly alsoGet?: boolean;
  /** Whether it is there below `/ajax-api` only. */
  readonly ajaxOnly?: boolean;
  /** @returns the text of the answer. */
  answer(request: RawRequest, call: CallStore, signal: AbortSignal): Promise<string | Buffer>;
}

/** An endpoint whose request is a message of MLflow's protocol. */
const endpoint = (
  method: EmbeddedEndpoint['method'],
  name: RequestName,
  answer: (message: Message, call: CallStore, request: RawRequest) => Promise<JsonSource>,
  ajaxOnly = false,
): [string, EmbeddedEndpoint] => [
  name,
  {
    method,
    ajaxOnly,
    answer: async (request, call) => jsonText(await answer(readRequest(name, request), call, request)),
  },
];

/** A write whose answer is empty. */
const write = (
  name: RequestName,
  answer: (message: Message, call: CallStore) => Promise<void> | undefined,
): [string, EmbeddedEndpoint] =>
  endpoint('POST', name, async (message, call) => {
    await answer(message, call);
    return {};
  });

const experimentIdOf = (message: Message) => text(message, 'experiment_id');

const EXPERIMENTS = [
  endpoint('POST', 'experiments/create', async (message, call) => ({
    experiment_id: await call('createExperiment', newExperiment(message)),
  })),
  endpoint('GET', 'experiments/get', async (message, call) => ({
    experiment: presentExperiment(await call('getExperiment', { experimentId: experimentIdOf(message) || '0' })),
  })),
  endpoint('GET', 'experiments/get-by-name', async (message, call) => ({
    experiment: presentExperiment(await call('getExperimentByName', { name: text(message, 'experiment_name') })),
  })),
  write('experiments/update', (message, call) => {
    const newName = text(message, 'new_name');
    return newName === '' ? undefined : call('updateExperiment', { experimentId: experimentIdOf(message), newName });
  }),
  write('experiments/delete', (message, call) => call('deleteExperiment', { experimentId: experimentIdOf(message) })),
  write('experiments/restore', (message, call) => call('restoreExperiment', { experimentId: experimentIdOf(message) })),
  write('experiments/set-experiment-tag', (message, call) =>
    call('setExperimentTag', { experimentId: experimentIdOf(message), ...keyValueOf(message) }),
  ),
  write('experiments/delete-experiment-tag', (message, call) =>
    call('deleteExperimentTag', { experimentId: experimentIdOf(message), key: text(message, 'key') }),
  ),
  endpoint(
    'POST',
    'experiments/search-datasets',
    async (message, call) => ({
      dataset_summaries: presentDatasets(await call('searchDatasets', datasetSearch(message))),
    }),
    true,
  ),
];

const RUNS = [
  endpoint('POST', 'runs/create', async (message, call) => ({
    run: presentRunText(await call('createRun', newRun(message))),
  })),
  endpoint('GET', 'runs/get', async (message, call) => ({
    run: presentRunText(await call('getRun', { runId: runIdOf(message) })),
  })),
  endpoint('POST', 'runs/update', async (message, call) => ({
    run_info: presentRunText(await call('updateRun', runUpdate(message))),
  })),
  // These two take the old name of the id for granted and then do not read it.
  write('runs/delete', (message, call) => call('deleteRun', { runId: text(message, 'run_id') })),
  write('runs/restore', (message, call) => call('restoreRun', { runId: text(message, 'run_id') })),
  write('runs/log-metric', (message, call) => call('logMetric', { runId: runIdOf(message), ...loggedMetric(message) })),
  write('runs/log-parameter', (message, call) =>
    call('logParameter', { runId: runIdOf(message), ...keyValueOf(message) }),
  ),
  write('runs/set-tag', (message, call) => call('setTag', { runId: runIdOf(message), ...keyValueOf(message) })),
  write('runs/delete-tag', (message, call) =>
    call('deleteTag', { runId: text(message, 'run_id'), key: text(message, 'key') }),
  ),
  withBodyOfSomeLength(write('runs/log-batch', (message, call) => call('logBatch', runBatch(message)))),
  write('runs/log-model', (message, call) =>
    call('logModel', { runId: text(message, 'run_id'), entry: modelEntry(text(message, 'model_json')) }),
  ),
  write('runs/log-inputs', (message, call) => call('logInputs', runInputs(message))),
  write('runs/outputs', (message, call) =>
    call('logOutputs', { runId: text(message, 'run_id'), models: modelOutputs(message) }),
  ),
];

/** MLflow takes the length of a batch's JSON before it looks into it, and fails when there is none. */
function withBodyOfSomeLength([name, { method, answer }]: [string, EmbeddedEndpoint]): [string, EmbeddedEndpoint] {
  return [
    name,
    {
      method,
      async answer(request, call, signal) {
        checkContentType(request.headers['content-type']);
        const json = parsePythonBody(request.body) ?? null;
        if (json === null || (typeof json !== 'object' && typeof json !== 'string')) {
          throw new ServerFault('a batch that has no length');
        }
        return answer(request, call, signal);
      },
    },
  ];
}

const METRICS: [string, EmbeddedEndpoint][] = [
  endpoint('GET', 'metrics/get-history', async (message, call) => {
    const request = historyRequest(message);
    const { points, hasMore } = await call('getMetricHistory', request);
    return {
      metrics: presentHistory(request.metricKey, points),
      next_page_token: hasMore ? writePageOffset(request.offset + BigInt(points.length)) : undefined,
    };
  }),
  [
    'metrics/get-history-bulk',
    {
      method: 'GET',
      ajaxOnly: true,
      async answer({ query }, call) {
        const request = bulkHistoryRequest(query);
        const points = await call('getMetricHistoryBulk', request);
        // A negative number cuts from the end, in Python as here.
        return presentBulkHistory(request.metricKey, points.slice(0, Number(request.maxResults)));
      },
    },
  ],
  endpoint('GET', 'metrics/get-history-bulk-interval', async (message, call, { query }) => {
    const request = sampledHistoryRequest(message, query);
    return { metrics: presentRunHistory(request.metricKey, await call('getMetricHistoryBulkInterval', request)) };
  }),
];

/** MLflow's endpoints that the store answers, by their path below `/api/2.0/mlflow/`; searches are answered elsewhere. */
export const EMBEDDED_ENDPOINTS: ReadonlyMap<string, EmbeddedEndpoint> = new Map([...EXPERIMENTS, ...RUNS, ...METRICS]);
