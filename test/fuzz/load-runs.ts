import type { RunPlan } from './make-runs.ts';

/** Sends a write or a search. @throws when it is refused. */
export async function post(base: string, path: string, body: unknown): Promise<Record<string, unknown>> {
  const answer = await fetch(`${base}/api/2.0/mlflow/${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${path} answered ${answer.status}: ${text}`);
  return JSON.parse(text);
}

/** Creates experiments with names no other load uses; gives their ids. */
export async function createExperiments(base: string, count: number, label: string): Promise<string[]> {
  const ids: string[] = [];
  for (let i = 0; i < count; i++) {
    const { experiment_id } = await post(base, 'experiments/create', {
      name: `${label}-${i}-${process.pid}-${Date.now()}`,
    });
    ids.push(String(experiment_id));
  }
  return ids;
}

const datasetInput = ({ name, digest, context }: RunPlan['datasets'][number]) => ({
  tags: context === undefined ? [] : [{ key: 'mlflow.data.context', value: context }],
  dataset: { name, digest, source_type: 'local', source: 'src' },
});

/** Writes one run by the calls a client makes. `base` is a server or a gateway. */
export async function loadRun(base: string, plan: RunPlan, experimentIds: readonly string[]): Promise<string> {
  // int64 as text: JSON.stringify would round it.
  const created = await post(base, 'runs/create', {
    experiment_id: experimentIds[plan.experiment],
    run_name: plan.name,
    user_id: plan.userId,
    start_time: plan.startTime,
    tags: plan.createTags,
  });
  const runId = (created.run as { info: { run_id: string } }).info.run_id;
  const { metrics, params, tags, datasets } = plan;
  await post(base, 'runs/log-batch', { run_id: runId, metrics, params, tags });
  if (datasets.length > 0) await post(base, 'runs/log-inputs', { run_id: runId, datasets: datasets.map(datasetInput) });
  await post(base, 'runs/update', {
    run_id: runId,
    status: plan.status,
    ...(plan.endTime && { end_time: plan.endTime }),
  });
  if (plan.loseName) await post(base, 'runs/delete-tag', { run_id: runId, key: 'mlflow.runName' });
  if (plan.deleted) await post(base, 'runs/delete', { run_id: runId });
  return runId;
}
