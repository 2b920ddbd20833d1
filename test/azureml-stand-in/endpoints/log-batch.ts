import { namedRun } from '../held-runs.ts';
import type { Metric, Pair, Run } from '../present-run.ts';
import type { Rules } from '../rules.ts';
import { withRunHex } from '../run-tags.ts';
import type { Endpoint } from '../workspace.ts';
import { listIn } from './fields.ts';
import { checkTagsOf, overLimit } from './tag-limits.ts';

const VALUES_OF_A_METRIC = 250;
const PARAMS_OF_A_RUN = 200;
/** Of the MLflow behind, in one request. */
const MLFLOW = { metrics: 900, params: 100, tags: 100 } as const;

export interface Batch {
  readonly metrics: readonly Metric[];
  readonly params: readonly Pair[];
  readonly tags: readonly Pair[];
}

/** Refused or kept as a whole. */
export const logBatch: Endpoint = async (call, workspace) => {
  const { run, hex } = await namedRun(call, workspace);
  const batch = batchIn(call.body);
  checkBatch(batch, run, workspace.rules);
  for (const part of partsOf(batch)) await workspace.mlflow.post('runs/log-batch', { run_id: hex, ...part });
};

export const logParameter: Endpoint = async (call, workspace) => {
  const { run, hex } = await namedRun(call, workspace);
  const { key, value } = call.body;
  if (typeof key === 'string') checkParams([{ key, value: `${value}` }], run, workspace.rules);
  await workspace.mlflow.post('runs/log-parameter', { ...call.body, run_id: hex, run_uuid: hex });
};

export const batchIn = (body: Readonly<Record<string, unknown>>): Batch => ({
  metrics: listIn(body.metrics, 'metrics') as readonly Metric[],
  params: listIn(body.params, 'params') as readonly Pair[],
  tags: listIn(body.tags, 'tags') as readonly Pair[],
});

/** @throws AzureError */
export function checkBatch({ metrics, params, tags }: Batch, run: Run, rules: Rules): void {
  if (rules.batchLimits)
    for (const values of Map.groupBy(metrics, ({ key }) => key).values())
      if (values.length > VALUES_OF_A_METRIC)
        throw overLimit('MetricV2Dto.Value/Count', VALUES_OF_A_METRIC, values.length);
  checkParams(params, run, rules);
  checkTagsOf(run, tags, rules);
}

function checkParams(added: readonly Pair[], { data }: Run, { batchLimits }: Rules): void {
  const count = new Set([...(data.params ?? []), ...added].map(({ key }) => key)).size;
  if (batchLimits && count > PARAMS_OF_A_RUN) throw overLimit('Parameters', PARAMS_OF_A_RUN, count);
}

/** In pieces that the MLflow behind takes: params first, which it may refuse. */
export function* partsOf({ metrics, params, tags }: Batch): Generator<Partial<Batch>> {
  for (const part of chunks(params, MLFLOW.params)) yield { params: part };
  for (const part of chunks(tags.map(withRunHex), MLFLOW.tags)) yield { tags: part };
  for (const part of chunks(metrics, MLFLOW.metrics)) yield { metrics: part };
}

function* chunks<T>(items: readonly T[], size: number): Generator<readonly T[]> {
  for (let at = 0; at < items.length; at += size) yield items.slice(at, at + size);
}
