import { Anywhere, EmbeddedJson, type Fields, type Shape } from './rewrite-json.ts';

/** Where ids are in the requests to an endpoint, by query parameters and in the body alike, and in its answers. */
export interface EndpointIds {
  readonly request: Fields | Anywhere;
  readonly answer: Shape;
  /** Headers of requests that are ids. */
  readonly headers?: readonly string[];
  /**
   * What is special about it:
   * - `stream`: neither body nor answer hold ids, and both may be long
   * - `registry`: it belongs to the backend that keeps registered models
   */
  readonly as?: 'stream' | 'registry';
}

const TAG: Fields = { value: 'tag' };
const RUN_KEY: Fields = { run_id: 'id', run_uuid: 'id' };
const RUN_INFO: Fields = { ...RUN_KEY, experiment_id: 'id', artifact_uri: 'uri' };
const MODEL_KEY: Fields = { model_id: 'id' };
const METRIC: Fields = { run_id: 'id', model_id: 'id' };

/** A run, wherever it is in an answer. */
export const RUN: Fields = {
  info: RUN_INFO,
  data: { tags: TAG },
  inputs: { model_inputs: MODEL_KEY },
  outputs: { model_outputs: MODEL_KEY },
};

/** An experiment, wherever it is in an answer. */
export const EXPERIMENT: Fields = { experiment_id: 'id', name: 'name', artifact_location: 'uri' };

const MODEL: Fields = {
  info: { ...MODEL_KEY, experiment_id: 'id', source_run_id: 'id', artifact_uri: 'uri', tags: TAG },
  data: { metrics: METRIC },
};

const VERSION: Fields = { run_id: 'mention', model_id: 'mention', source: 'uri' };
const REGISTERED: Fields = { latest_versions: VERSION };
const REGISTRY: EndpointIds = {
  as: 'registry',
  request: VERSION,
  answer: {
    model_version: VERSION,
    model_versions: VERSION,
    registered_model: REGISTERED,
    registered_models: REGISTERED,
    artifact_uri: 'uri',
  },
};

const NOTHING: Fields = {};
const EXPERIMENT_KEY: Fields = { experiment_id: 'id' };
const experimentWrite: EndpointIds = { request: EXPERIMENT_KEY, answer: NOTHING };
const runWrite = (fields: Fields = NOTHING): EndpointIds => ({ request: { ...RUN_KEY, ...fields }, answer: NOTHING });
const modelWrite: EndpointIds = { request: { ...MODEL_KEY, tags: TAG }, answer: { model: MODEL } };
const history: EndpointIds = { request: { ...RUN_KEY, run_ids: 'id' }, answer: { metrics: METRIC } };
const stream = (request: Fields): EndpointIds => ({ as: 'stream', request, answer: NOTHING });

/** Below `/api/2.0/mlflow/` and `/ajax-api/2.0/mlflow/`; `*` is an id in the path. */
const ENDPOINTS: Readonly<Record<string, EndpointIds>> = {
  'experiments/create': { request: { name: 'name', artifact_location: 'uri' }, answer: EXPERIMENT_KEY },
  'experiments/search': { request: NOTHING, answer: { experiments: EXPERIMENT } },
  'experiments/get': { request: EXPERIMENT_KEY, answer: { experiment: EXPERIMENT, runs: RUN_INFO } },
  'experiments/get-by-name': { request: { experiment_name: 'name' }, answer: { experiment: EXPERIMENT } },
  'experiments/update': { request: { ...EXPERIMENT_KEY, new_name: 'name' }, answer: NOTHING },
  'experiments/delete': experimentWrite,
  'experiments/restore': experimentWrite,
  'experiments/set-experiment-tag': experimentWrite,
  'experiments/delete-experiment-tag': experimentWrite,
  'experiments/search-datasets': {
    request: { experiment_ids: 'id' },
    answer: { dataset_summaries: EXPERIMENT_KEY },
  },
  'runs/create': { request: { ...EXPERIMENT_KEY, tags: TAG }, answer: { run: RUN } },
  'runs/create-promptlab-run': { request: { ...EXPERIMENT_KEY, tags: TAG }, answer: { run: RUN } },
  'runs/get': { request: RUN_KEY, answer: { run: RUN } },
  'runs/search': { request: { experiment_ids: 'id' }, answer: { runs: RUN } },
  'runs/update': { request: RUN_KEY, answer: { run_info: RUN_INFO } },
  'runs/delete': runWrite(),
  'runs/restore': runWrite(),
  'runs/log-metric': runWrite(MODEL_KEY),
  'runs/log-batch': runWrite({ metrics: METRIC, tags: TAG }),
  'runs/log-parameter': runWrite(),
  'runs/set-tag': runWrite(TAG),
  'runs/delete-tag': runWrite(),
  'runs/log-model': runWrite({ model_json: new EmbeddedJson({ run_id: 'mention', model_id: 'mention' }) }),
  'runs/log-inputs': runWrite({ models: MODEL_KEY }),
  'runs/outputs': runWrite({ models: MODEL_KEY }),
  'metrics/get-history': history,
  'metrics/get-history-bulk': history,
  'metrics/get-history-bulk-interval': history,
  'artifacts/list': { request: RUN_KEY, answer: { root_uri: 'uri' } },
  'artifacts/presigned-upload-url': { request: { ...RUN_KEY, ...MODEL_KEY }, answer: NOTHING },
  'artifacts/presigned-download-url': { request: { ...RUN_KEY, ...MODEL_KEY }, answer: NOTHING },
  'upload-artifact': stream(RUN_KEY),
  'logged-models': { request: { ...EXPERIMENT_KEY, source_run_id: 'id', tags: TAG }, answer: { model: MODEL } },
  'logged-models/search': { request: { experiment_ids: 'id' }, answer: { models: MODEL } },
  'logged-models/*': modelWrite,
  'logged-models/*/params': modelWrite,
  'logged-models/*/tags': modelWrite,
  'logged-models/*/artifacts/directories': { request: MODEL_KEY, answer: { root_uri: 'uri' } },
  'logged-models/*/artifacts/files': stream(MODEL_KEY),
};

/** What values of a run's tags and of a logged model's hold, by their keys. */
export const TAGS: ReadonlyMap<string, Shape> = new Map<string, Shape>([
  ['mlflow.parentRunId', 'mention'],
  ['mlflow.rootRunId', 'mention'],
  ['mlflow.log-model.history', new EmbeddedJson({ run_id: 'mention', model_id: 'mention' })],
]);

/**
 * Everything else, for which MLflow's names of fields have to do: traces, evaluation datasets, scorers, and what the UI reads
 * by GraphQL.
 */
const ELSEWHERE_IDS: Fields = {
  ...RUN_KEY,
  ...MODEL_KEY,
  run_ids: 'id',
  experiment_id: 'id',
  experiment_ids: 'id',
  source_run_id: 'id',
  trace_id: 'id',
  trace_ids: 'id',
  request_id: 'id',
  dataset_id: 'id',
  dataset_ids: 'id',
  artifact_uri: 'uri',
  artifact_location: 'uri',
  root_uri: 'uri',
  tags: TAG,
};
const ELSEWHERE: EndpointIds = { request: new Anywhere(ELSEWHERE_IDS), answer: new Anywhere(ELSEWHERE_IDS) };

const BELOW_2 = /^\/(?:ajax-)?api\/2\.0\/mlflow\/(.+)$/;
const ARTIFACTS = /^(\/(?:ajax-)?api\/2\.0\/mlflow-artifacts\/(?:artifacts|presigned|mpu\/\w+)\/)(.+)$/;
const ARTIFACT_LIST = /^\/(?:ajax-)?api\/2\.0\/mlflow-artifacts\/artifacts$/;
const WITH_ID = /^(.*\/(?:logged-models|traces|datasets)\/)([^/]+)(.*)$/;
/** What is no id after these words. */
const NO_ID = new Set([
  'search',
  'create',
  'batchGet',
  'batchGetInfos',
  'delete-traces',
  'metrics',
  'get',
  'link-to-run',
]);

/** Where ids are in the requests to a path, and in the answers; undefined where nothing has any. */
export function endpointAt(path: string): (EndpointIds & { readonly pathId?: PathId }) | undefined {
  const [, name] = BELOW_2.exec(path) ?? [];
  if (name !== undefined && /^(?:registered-models|model-versions)\//.test(name)) return REGISTRY;
  const pathId = idIn(path);
  const row = name && (pathId ? name.replace(/^([\w-]+)\/[^/]+/, '$1/*') : name);
  if (row && Object.hasOwn(ENDPOINTS, row)) return { ...(ENDPOINTS[row] as EndpointIds), ...(pathId && { pathId }) };
  if (row?.startsWith('logged-models/*/tags/')) return { ...modelWrite, ...(pathId && { pathId }) };
  const [, before, artifact] = ARTIFACTS.exec(path) ?? [];
  if (before !== undefined && artifact !== undefined)
    return { ...stream(NOTHING), pathId: { before, id: artifact, after: '' } };
  if (ARTIFACT_LIST.test(path)) return stream({ path: 'id' });
  if (path === '/get-artifact') return stream(RUN_KEY);
  if (path === '/model-versions/get-artifact') return { ...REGISTRY, ...stream(NOTHING), as: 'registry' };
  if (path === '/v1/traces') return { ...stream(NOTHING), headers: ['x-mlflow-experiment-id', 'x-mlflow-run-id'] };
  if (path === '/graphql' || /^\/(?:ajax-)?api\/\d\.\d\//.test(path))
    return { ...ELSEWHERE, ...(pathId && { pathId }) };
  return undefined;
}

/** An id in a path, and what is before and after it. */
export interface PathId {
  readonly before: string;
  readonly id: string;
  readonly after: string;
}

function idIn(path: string): PathId | undefined {
  const [, before, id, after] = WITH_ID.exec(path) ?? [];
  if (before === undefined || id === undefined || after === undefined || NO_ID.has(id)) return undefined;
  return { before, id, after };
}
