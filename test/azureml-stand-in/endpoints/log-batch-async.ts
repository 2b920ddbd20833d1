import { emptyError, refusal } from '../azure-error.ts';
import { namedRun } from '../held-runs.ts';
import type { Endpoint, Workspace } from '../workspace.ts';
import { type Batch, batchIn, checkBatch, partsOf } from './log-batch.ts';

/** Params and tags are there at once, metrics when the batch is complete; without metrics there is no batch to ask for. */
export const logBatchAsync: Endpoint = async (call, workspace) => {
  if (!workspace.rules.asyncBatches) throw emptyError(404);
  const { run, hex } = await namedRun(call, workspace);
  const batch = batchIn(call.body);
  checkBatch(batch, run, workspace.rules);
  await write({ ...batch, metrics: [] }, hex, workspace);
  const { metrics } = batch;
  if (metrics.length === 0) return { batch_tracking_id: '' };
  return {
    batch_tracking_id: workspace.asyncBatches.add(() => write({ metrics, params: [], tags: [] }, hex, workspace)),
  };
};

async function write(batch: Batch, hex: string, { mlflow }: Workspace): Promise<void> {
  for (const part of partsOf(batch)) await mlflow.post('runs/log-batch', { run_id: hex, ...part });
}

export const getRunDataStatus: Endpoint = async ({ query }, { rules, asyncBatches }) => {
  if (!rules.asyncBatches) throw emptyError(404);
  const state = asyncBatches.stateOf(query.get('batch_tracking_id') ?? '');
  if (state === undefined) throw refusal('The batch tracking id is invalid.');
  return { is_complete: state !== 'waiting' };
};
