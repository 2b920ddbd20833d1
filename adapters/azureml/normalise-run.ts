import { type JsonSource, jsonText, listOf, RawJson } from '../../src/domain/json-text.ts';
import type { RunJson } from '../../src/domain/run-text.ts';
import { doubleText, type Fields, int64Of, int64Text, objectOf, objectsOf, parseObject, textOf } from './wire-json.ts';

/**
 * A run of Azure's as MLflow prints runs: int64 as numbers, of keys that come twice the last, `end_time` left out when there is
 * none, empty lists left out, `inputs` and `outputs` always there. What MLflow does not know is left out.
 * @throws SyntaxError for what is no run
 */
export const normaliseRun = (json: string): RunJson => jsonText(runOf(parseObject(json)));

/** A `runs/search` answer of Azure's, cut into runs as {@link normaliseRun} gives them. */
export interface AzureRuns {
  readonly runs: readonly RunJson[];
  readonly nextPageToken: string | undefined;
}

/** @throws SyntaxError when the text is not such an answer */
export function splitAzureRuns(answerText: string): AzureRuns {
  const { runs, next_page_token: token } = parseObject(answerText);
  return {
    runs: objectsOf(runs).map((run) => jsonText(runOf(run))),
    nextPageToken: textOf(token) || undefined,
  };
}

/** The same as an object, in the order of MLflow's fields. @throws SyntaxError when it has no id */
export function runOf(run: Fields): { readonly [key: string]: JsonSource } {
  const data = objectOf(run.data);
  const tags = lastOf(data.tags);
  // The id of an object in Entra, whereas filters find the display name, which is the last of the tags.
  const userId = tags.find(({ key }) => key === 'mlflow.user')?.value;
  return {
    info: runInfoOf(objectOf(run.info), textOf(userId)),
    data: {
      metrics: printList(lastOf(data.metrics), printMetric),
      params: printList(lastOf(data.params), printPair),
      tags: printList(tags, printPair),
    },
    inputs: inputsOf(objectOf(run.inputs)),
    outputs: {},
  };
}

/** `userId` instead of the one in it, when it is known. @throws SyntaxError when it has no id */
export function runInfoOf(info: Fields, userId?: string): JsonSource {
  const runId = textOf(info.run_id) ?? textOf(info.run_uuid);
  if (runId === undefined) throw new SyntaxError('A run without an id.');
  return {
    run_uuid: runId,
    experiment_id: textOf(info.experiment_id),
    run_name: textOf(info.run_name),
    user_id: userId ?? textOf(info.user_id) ?? '',
    status: statusOf(info.status),
    start_time: int64Of(info.start_time) ?? 0n,
    end_time: int64Of(info.end_time) || undefined,
    artifact_uri: textOf(info.artifact_uri),
    lifecycle_stage: textOf(info.lifecycle_stage) ?? 'active',
    run_id: runId,
  };
}

/** Printed at once, without the objects that others go through: a page of runs is little else. */
export const printList = (items: readonly Fields[], print: (item: Fields) => string): RawJson | undefined =>
  items.length > 0 ? new RawJson(`[${items.map(print).join(',')}]`) : undefined;

export const printMetric = ({ key, value, timestamp, step }: Fields): string =>
  `{"key":${quote(key)},"value":${doubleText(value)},"timestamp":${int64Text(timestamp)},"step":${int64Text(step)}}`;

export const printPair = ({ key, value }: Fields): string => `{"key":${quote(key)},"value":${quote(value)}}`;

const quote = (value: unknown) => JSON.stringify(textOf(value) ?? '');

/** A list without those whose key comes again later. @throws SyntaxError for what is no list */
export function lastOf(list: unknown): readonly Fields[] {
  const items = objectsOf(list);
  const last = new Map(items.map((item) => [item.key, item]));
  return last.size === items.length ? items : [...last.values()];
}

/** MLflow's statuses, and the states of jobs that it has no word for (documented; those of run history are a guess). */
const STATUSES: Readonly<Record<string, string>> = {
  RUNNING: 'RUNNING',
  SCHEDULED: 'SCHEDULED',
  FINISHED: 'FINISHED',
  FAILED: 'FAILED',
  KILLED: 'KILLED',
  NOTSTARTED: 'SCHEDULED',
  UNAPPROVED: 'SCHEDULED',
  QUEUED: 'SCHEDULED',
  PREPARING: 'SCHEDULED',
  PROVISIONING: 'SCHEDULED',
  STARTING: 'SCHEDULED',
  PAUSING: 'SCHEDULED',
  PAUSED: 'SCHEDULED',
  COMPLETED: 'FINISHED',
  CANCELED: 'KILLED',
};

/** One that is not known has not ended; MLflow's clients read it so too. */
function statusOf(status: unknown): string {
  const name = textOf(status)?.toUpperCase().replace(/[ _]/g, '') ?? '';
  return STATUSES[name] ?? 'RUNNING';
}

const inputsOf = ({ dataset_inputs: inputs }: Fields): JsonSource => ({
  dataset_inputs: listOf(
    objectsOf(inputs).map(({ tags, dataset }) => ({
      tags: printList(objectsOf(tags), printPair),
      dataset: datasetOf(objectOf(dataset)),
    })),
  ),
});

const DATASET_FIELDS = ['name', 'digest', 'source_type', 'source', 'schema', 'profile'];

const datasetOf = (dataset: Fields): JsonSource =>
  Object.fromEntries(DATASET_FIELDS.map((name) => [name, textOf(dataset[name])]));
