import type { Run, RunDataset } from './run.ts';

/** JSON of a run: text, or that in UTF-8 where a source has bytes that nobody may need as text. */
export type RunJson = string | Buffer;

/** A `runs/search` answer cut into its runs, each as compact JSON text with every number and string as it was sent. */
export interface RunTexts {
  readonly runs: readonly string[];
  readonly nextPageToken: string | undefined;
}

/** End (exclusive) of the JSON string that begins at `start`. @throws SyntaxError when it has none. */
export function endOfString(text: string, start: number): number {
  for (let i = start + 1; i < text.length; i++) {
    const char = text.charCodeAt(i);
    if (char === 0x5c) i++;
    else if (char === 0x22) return i + 1;
  }
  throw new SyntaxError('A JSON text ends inside a string.');
}

const isBlank = (char: number) => char === 0x20 || char === 0x0a || char === 0x0d || char === 0x09;

/**
 * Cuts a `runs/search` answer without decoding it: int64 values pass 2^53 and doubles must come out as they went in,
 * which JSON.parse and JSON.stringify do not promise.
 * @throws SyntaxError when the text is not such an answer.
 */
export function splitRuns(answer: string): RunTexts {
  const runs: string[] = [];
  let nextPageToken: string | undefined;
  let depth = 0;
  let key = '';
  let compact = '';
  let copied = 0;
  const isRun = () => depth >= 3 && key === 'runs';
  for (let i = 0; i < answer.length; i++) {
    const char = answer.charCodeAt(i);
    if (char === 0x22) {
      const end = endOfString(answer, i);
      if (depth === 1) {
        const text = JSON.parse(answer.slice(i, end)) as string;
        if (key === 'next_page_token') nextPageToken = text;
        key = text;
      }
      i = end - 1;
    } else if (char === 0x7b || char === 0x5b) {
      depth++;
      if (depth === 3 && key === 'runs') copied = i;
    } else if (char === 0x7d || char === 0x5d) {
      if (depth === 3 && key === 'runs') {
        runs.push(compact + answer.slice(copied, i + 1));
        compact = '';
      }
      depth--;
    } else if (isBlank(char) && isRun()) {
      compact += answer.slice(copied, i);
      while (isBlank(answer.charCodeAt(i + 1))) i++;
      copied = i + 1;
    }
  }
  if (depth !== 0) throw new SyntaxError('A JSON text ends before its last bracket.');
  return { runs, nextPageToken };
}

interface KeyValue<V> {
  readonly key: string;
  readonly value: V;
}

interface WireRun {
  readonly info: {
    readonly run_id: string;
    readonly experiment_id: string;
    readonly run_name?: string;
    readonly user_id?: string;
    readonly status?: string;
    readonly artifact_uri?: string;
    readonly lifecycle_stage?: string;
    readonly start_time?: number | bigint;
    readonly end_time?: number | bigint;
  };
  readonly data?: {
    readonly metrics?: readonly KeyValue<number | string>[];
    readonly params?: readonly KeyValue<string>[];
    readonly tags?: readonly KeyValue<string>[];
  };
  readonly inputs?: {
    readonly dataset_inputs?: readonly {
      readonly tags?: readonly KeyValue<string>[];
      readonly dataset?: { readonly name?: string; readonly digest?: string };
    }[];
  };
}

const isExact = (value: number | bigint | undefined) => value === undefined || Number.isSafeInteger(value);

function parseExactly(json: string): WireRun {
  return JSON.parse(json, (_key, value: unknown, context?: { source?: string }) =>
    typeof value === 'number' && !Number.isSafeInteger(value) && /^-?\d+$/.test(context?.source ?? '')
      ? BigInt(context?.source ?? '')
      : value,
  ) as WireRun;
}

const toMap = <V, W>(pairs: readonly KeyValue<V>[] | undefined, read: (value: V) => W): ReadonlyMap<string, W> =>
  new Map(pairs?.map(({ key, value }) => [key, read(value)]));

const asText = (value: string | undefined) => value ?? '';

function decodeDatasets(inputs: WireRun['inputs']): RunDataset[] {
  return (inputs?.dataset_inputs ?? []).map(({ tags, dataset }) => ({
    name: asText(dataset?.name),
    digest: asText(dataset?.digest),
    context: tags?.find(({ key }) => key === 'mlflow.data.context')?.value,
  }));
}

/** Reads MLflow's run JSON. Integers beyond 2^53 stay exact; a metric of `"NaN"` becomes NaN. */
export function decodeRun(json: RunJson): Run {
  const text = String(json);
  let { info, data, inputs } = JSON.parse(text) as WireRun;
  if (!isExact(info.start_time) || !isExact(info.end_time)) ({ info, data, inputs } = parseExactly(text));
  return {
    runId: info.run_id,
    experimentId: info.experiment_id,
    runName: info.run_name,
    userId: info.user_id,
    status: info.status,
    artifactUri: info.artifact_uri,
    lifecycleStage: info.lifecycle_stage === 'deleted' ? 'deleted' : 'active',
    startTime: BigInt(info.start_time ?? 0),
    endTime: info.end_time === undefined ? undefined : BigInt(info.end_time),
    metrics: toMap(data?.metrics, Number),
    params: toMap(data?.params, asText),
    tags: toMap(data?.tags, asText),
    datasets: decodeDatasets(inputs),
  };
}
