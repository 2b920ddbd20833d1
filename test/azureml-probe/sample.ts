import type { WorkspaceReader } from './workspace-reader.ts';

/** A run of the workspace that questions are asked about, by what filters can name. */
export interface Sample {
  readonly experimentId: string;
  readonly runId: string;
  readonly status: string;
  /** In ms since 1970, as text. */
  readonly startTime: string;
  readonly user: string | undefined;
  readonly objectId: string | undefined;
  readonly param: KeyValue | undefined;
  readonly tag: KeyValue | undefined;
  readonly metric: string | undefined;
}

export interface KeyValue {
  readonly key: string;
  readonly value: string;
}

interface WireRun {
  readonly info: Readonly<Record<string, string>>;
  readonly data?: {
    readonly params?: readonly KeyValue[];
    readonly tags?: readonly KeyValue[];
    readonly metrics?: readonly KeyValue[];
  };
}

const isPlain = ({ key, value = '' }: Partial<KeyValue>) =>
  /^[A-Za-z]\w*$/.test(key ?? '') && /^[\w ./-]{1,200}$/.test(value);
/** One with letters, so that case can be told. */
const hasLetters = ({ value }: KeyValue) => value.toLowerCase() !== value.toUpperCase();

/** The newest run that has a param, a tag and a metric, or as many of them as any has. @throws Error when there is no run */
export async function findSample(reader: WorkspaceReader, experimentId?: string): Promise<Sample> {
  const ids = experimentId === undefined ? await experimentIds(reader) : [experimentId];
  let best: WireRun | undefined;
  for (const id of ids) {
    const body = { experiment_ids: [id], max_results: 200, order_by: ['attributes.start_time DESC'] };
    const { status, json, text } = await reader.search('runs/search', body);
    if (status !== 200) throw new Error(`The runs of experiment ${id} cannot be read: ${status} ${text.slice(0, 300)}`);
    for (const run of (json?.runs ?? []) as WireRun[]) if (!best || worth(run) > worth(best)) best = run;
    if (best && worth(best) === WORTH) break;
  }
  if (!best) throw new Error('There is no run to ask about: name another experiment (--experiment ID).');
  return toSample(best);
}

async function experimentIds(reader: WorkspaceReader): Promise<string[]> {
  const { status, json, text } = await reader.search('experiments/search', {
    max_results: 100,
    view_type: 'ACTIVE_ONLY',
  });
  if (status !== 200) throw new Error(`The experiments cannot be read: ${status} ${text.slice(0, 300)}`);
  return (json?.experiments ?? []).map(({ experiment_id }: { experiment_id: string }) => experiment_id);
}

const paramsOf = ({ data }: WireRun) => (data?.params ?? []).filter(isPlain).filter(hasLetters);
const tagsOf = ({ data }: WireRun) => (data?.tags ?? []).filter(isPlain);
const metricsOf = ({ data }: WireRun) => (data?.metrics ?? []).filter(({ key }) => isPlain({ key, value: 'x' }));

const WORTH = 4;
/** A param of some run is what most questions need. */
const worth = (run: WireRun) =>
  2 * Math.min(1, paramsOf(run).length) + Math.min(1, tagsOf(run).length) + Math.min(1, metricsOf(run).length);

function toSample(run: WireRun): Sample {
  const { info, data } = run;
  return {
    experimentId: info.experiment_id ?? '',
    runId: info.run_id ?? '',
    status: info.status ?? '',
    startTime: String(info.start_time ?? ''),
    user: data?.tags?.findLast(({ key }) => key === 'mlflow.user')?.value,
    objectId: info.user_id,
    param: paramsOf(run)[0],
    tag: tagsOf(run)[0],
    metric: metricsOf(run)[0]?.key,
  };
}
