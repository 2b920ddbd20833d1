import { makeExperimentSearch } from '../fuzz/make-experiment-search.ts';
import { METRIC_KEYS } from '../fuzz/make-runs.ts';
import { makeSearch } from '../fuzz/make-search.ts';
import type { Random } from '../fuzz/random.ts';
import type { World } from './world.ts';

/** A request that changes nothing: without a body a GET. */
export interface Question {
  /** Below `/api/2.0/mlflow/`. */
  readonly path: string;
  readonly body?: Record<string, unknown>;
}

const NOWHERE = '0123456789abcdef0123456789abcdef';

const query = (parameters: Record<string, string | readonly string[]>) =>
  Object.entries(parameters)
    .flatMap(([name, values]) => [values].flat().map((value) => `${name}=${encodeURIComponent(value)}`))
    .join('&');

/** A question of any kind that the gateway answers by itself, about anything there is, and now and then what there is not. */
export function makeQuestion(random: Random, { experimentIds, runIds, label }: World): Question {
  const chance = random.next();
  if (chance < 0.5) return { path: 'runs/search', body: makeSearch(random, { experimentIds, runIds }).body };
  if (chance < 0.6)
    return { path: 'experiments/search', body: makeExperimentSearch(random, label, experimentIds, [0, Date.now()]) };
  const runId = random.chance(0.03) ? NOWHERE : random.pick(runIds);
  if (chance < 0.75) return { path: `runs/get?${query({ run_id: runId })}` };
  const id = random.chance(0.03) ? '987654' : random.pick(experimentIds);
  if (chance < 0.85) return { path: `experiments/get?${query({ experiment_id: id })}` };
  const name = `${label} ${random.int(0, experimentIds.length)}`;
  if (chance < 0.9) return { path: `experiments/get-by-name?${query({ experiment_name: name })}` };
  const metric_key = random.pick([...METRIC_KEYS, 'of a model']);
  if (chance < 0.95) return { path: `metrics/get-history?${query({ run_id: runId, metric_key, max_results: '100' })}` };
  const run_ids = random.some(runIds, random.int(1, 3));
  return { path: `metrics/get-history-bulk-interval?${query({ run_ids, metric_key, max_results: '10' })}` };
}
