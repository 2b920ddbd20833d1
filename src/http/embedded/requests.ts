import { parsePythonJson } from '../../domain/parse-python-json.ts';
import { pythonInteger } from '../../domain/python-numbers.ts';
import { type PythonJson, pythonRepr } from '../../domain/python-text.ts';
import { invalidParameter } from '../../errors/gateway-error.ts';
import type {
  DatasetInput,
  HistoryRequest,
  KeyValue,
  LoggedMetric,
  ModelOutput,
  NewExperiment,
  NewRun,
  RunBatch,
  RunInputs,
  RunStatus,
  RunUpdate,
  SampledHistoryRequest,
} from '../../plan/tracking-store.ts';
import { readPageOffset } from '../../query/page-offset.ts';
import { validateArtifactLocation } from './artifact-location.ts';
import type { Message } from './fill-message.ts';
import type { QueryArguments } from './query-arguments.ts';
import { ServerFault } from './server-fault.ts';

// A field that is absent reads as its default, as in protobuf.
export const text = (message: Message, field: string): string => (message[field] ?? '') as string;
const integer = (message: Message, field: string): bigint => (message[field] ?? 0n) as bigint;
const messages = (message: Message, field: string): readonly Message[] => (message[field] ?? []) as Message[];
const optional = <T>(message: Message, field: string): T | undefined => message[field] as T | undefined;

/** Old clients name a run by `run_uuid`. */
export const runIdOf = (message: Message): string => text(message, 'run_id') || text(message, 'run_uuid');

export const keyValueOf = (message: Message): KeyValue => ({
  key: text(message, 'key'),
  value: text(message, 'value'),
});

export const newExperiment = (message: Message): NewExperiment => ({
  name: text(message, 'name'),
  artifactLocation: validateArtifactLocation(text(message, 'artifact_location')),
  tags: messages(message, 'tags').map(keyValueOf),
});

export const newRun = (message: Message): NewRun => ({
  experimentId: text(message, 'experiment_id'),
  userId: text(message, 'user_id'),
  runName: text(message, 'run_name'),
  startTime: integer(message, 'start_time'),
  tags: messages(message, 'tags').map(keyValueOf),
});

const STATUSES: readonly RunStatus[] = ['RUNNING', 'SCHEDULED', 'FINISHED', 'FAILED', 'KILLED'];

export const runUpdate = (message: Message): RunUpdate => ({
  runId: runIdOf(message),
  status: STATUSES[Number(integer(message, 'status')) - 1],
  endTime: optional<bigint>(message, 'end_time'),
  runName: optional<string>(message, 'run_name'),
});

/** @throws GatewayError INVALID_PARAMETER_VALUE for half a dataset */
export function loggedMetric(message: Message): LoggedMetric {
  if ((text(message, 'dataset_name') === '') !== (text(message, 'dataset_digest') === '')) {
    throw invalidParameter('Both dataset_name and dataset_digest must be provided if one is provided');
  }
  return {
    key: text(message, 'key'),
    value: (message.value ?? 0) as number,
    timestamp: integer(message, 'timestamp'),
    step: integer(message, 'step'),
    modelId: text(message, 'model_id') || undefined,
  };
}

export const runBatch = (message: Message): RunBatch => ({
  runId: text(message, 'run_id'),
  metrics: messages(message, 'metrics').map(loggedMetric),
  params: messages(message, 'params').map(keyValueOf),
  tags: messages(message, 'tags').map(keyValueOf),
});

export const runInputs = (message: Message): RunInputs => ({
  runId: text(message, 'run_id'),
  datasets: messages(message, 'datasets').map(datasetInput),
  modelIds: messages(message, 'models').map((model) => text(model, 'model_id')),
});

function datasetInput(message: Message): DatasetInput {
  const dataset = (message.dataset ?? {}) as Message;
  return {
    tags: messages(message, 'tags').map(keyValueOf),
    name: text(dataset, 'name'),
    digest: text(dataset, 'digest'),
    sourceType: text(dataset, 'source_type'),
    source: text(dataset, 'source'),
    schema: optional<string>(dataset, 'schema'),
    profile: optional<string>(dataset, 'profile'),
  };
}

export const modelOutputs = (message: Message): readonly ModelOutput[] =>
  messages(message, 'models').map((model) => ({ modelId: text(model, 'model_id'), step: integer(model, 'step') }));

const MANDATORY = ['artifact_path', 'flavors', 'run_id', 'utc_time_created'];

/**
 * What a run's history of models keeps of a model's JSON.
 * @throws GatewayError INVALID_PARAMETER_VALUE; ServerFault for JSON that is no object
 */
export function modelEntry(modelJson: string): PythonJson {
  const model = objectIn(parseModel(modelJson));
  const lacking = MANDATORY.filter((name) => !Object.hasOwn(model, name));
  if (lacking.length > 0) {
    throw invalidParameter(
      `Model json is missing mandatory fields: {${lacking.map((name) => pythonRepr(name)).join(', ')}}`,
    );
  }
  const { run_id, artifact_path, utc_time_created, model_uuid, flavors } = model;
  const entry = {
    ...(run_id === null ? {} : { run_id: run_id ?? null }),
    ...(artifact_path === null ? {} : { artifact_path: artifact_path ?? null }),
    utc_time_created: utc_time_created ?? null,
    model_uuid: model_uuid ?? null,
  };
  const kept = Object.entries(objectIn(flavors ?? null)).map(([name, flavor]) => [name, withoutConfig(flavor)]);
  return { ...entry, flavors: Object.fromEntries(kept) };
}

function parseModel(json: string): PythonJson {
  try {
    return parsePythonJson(json);
  } catch {
    throw invalidParameter(`Malformed model info. \n ${json} \n is not a valid JSON.`);
  }
}

type JsonObject = Readonly<Record<string, PythonJson>>;

const isObject = (json: PythonJson): json is JsonObject =>
  typeof json === 'object' && json !== null && !Array.isArray(json);

function objectIn(json: PythonJson): JsonObject {
  if (isObject(json)) return json;
  throw new ServerFault('JSON that is no object');
}

/** May be large, and hold secrets. */
function withoutConfig(flavor: PythonJson): PythonJson {
  if (!isObject(flavor)) return flavor;
  const { config: _, ...kept } = flavor;
  return kept;
}

/** @throws GatewayError INVALID_PARAMETER_VALUE; ServerFault for a token that is no object */
export function historyRequest(message: Message): HistoryRequest {
  const maxResults = optional<bigint>(message, 'max_results');
  if (maxResults !== undefined && maxResults <= 0n) {
    throw invalidParameter(
      `Invalid value ${maxResults} for parameter 'max_results' supplied. It must be a positive integer.`,
    );
  }
  return {
    runId: runIdOf(message),
    metricKey: text(message, 'metric_key'),
    offset: readPageOffset(text(message, 'page_token')),
    maxResults: maxResults === undefined ? undefined : Number(maxResults),
  };
}

const MAX_BULK_RUNS = 100;
const MAX_BULK_POINTS = 25_000n;

/** This endpoint has no message: it reads the query string alone. */
export function bulkHistoryRequest(query: QueryArguments) {
  const runIds = query.get('run_id') ?? [];
  if (runIds.length === 0) throw invalidParameter('GetMetricHistoryBulk request must specify at least one run_id.');
  if (runIds.length > MAX_BULK_RUNS) {
    throw invalidParameter(
      `GetMetricHistoryBulk request cannot specify more than ${MAX_BULK_RUNS} run_ids. Received ${runIds.length} run_ids.`,
    );
  }
  const metricKey = query.get('metric_key')?.[0];
  if (metricKey === undefined) throw invalidParameter('GetMetricHistoryBulk request must specify a metric_key.');
  const asked = integerArgument(query, 'max_results') ?? MAX_BULK_POINTS;
  return { runIds, metricKey, maxResults: asked < MAX_BULK_POINTS ? asked : MAX_BULK_POINTS };
}

const MAX_POINTS_PER_RUN = 2_500n;

/** @throws GatewayError INVALID_PARAMETER_VALUE; ServerFault for a number that is none */
export function sampledHistoryRequest(message: Message, query: QueryArguments): SampledHistoryRequest {
  const maxResults = integerArgument(query, 'max_results') ?? MAX_POINTS_PER_RUN;
  return {
    runIds: (message.run_ids ?? []) as string[],
    metricKey: text(message, 'metric_key'),
    maxResults: Number(maxResults),
    steps: stepsOf(query),
  };
}

function stepsOf(query: QueryArguments): SampledHistoryRequest['steps'] {
  if (query.has('start_step') !== query.has('end_step')) {
    throw invalidParameter('If either start step or end step are specified, both must be specified.');
  }
  const from = integerArgument(query, 'start_step');
  const to = integerArgument(query, 'end_step');
  if (from === undefined || to === undefined) return undefined;
  if (from <= to) return { from, to };
  throw invalidParameter(`end_step must be greater than start_step. Found start_step=${from} and end_step=${to}.`);
}

function integerArgument(query: QueryArguments, name: string): bigint | undefined {
  const argument = query.get(name)?.[0];
  if (argument === undefined) return undefined;
  const number = pythonInteger(argument);
  if (number === undefined) throw new ServerFault(`${name} is no integer`);
  return number;
}

const MAX_DATASET_EXPERIMENTS = 20;

/** @throws GatewayError INVALID_PARAMETER_VALUE */
export function datasetSearch(message: Message): { readonly experimentIds: readonly string[] } {
  const experimentIds = (message.experiment_ids ?? []) as string[];
  if (experimentIds.length === 0)
    throw invalidParameter('SearchDatasets request must specify at least one experiment_id.');
  if (experimentIds.length <= MAX_DATASET_EXPERIMENTS) return { experimentIds };
  throw invalidParameter(
    `SearchDatasets request cannot specify more than ${MAX_DATASET_EXPERIMENTS} experiment_ids. ` +
      `Received ${experimentIds.length} experiment_ids.`,
  );
}
