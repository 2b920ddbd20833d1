import { dependency, type PlannedRead, type ReadAnswer } from './read.ts';

/** Asks the backend for a path with its query. @throws GatewayError */
export type Get = (pathAndQuery: string, signal: AbortSignal) => Promise<ReadAnswer>;

const BASE = '/api/2.0/mlflow';

/** Reads of one run or one experiment; ids are canonical. The backend answers them, the cache keeps them. */
export function createSingleReads(get: Get) {
  const plan = (path: string, dependsOn: readonly string[]): PlannedRead => ({
    key: path,
    dependsOn: [dependency.backend, ...dependsOn],
    fetch: (signal) => get(BASE + path, signal),
  });
  return {
    /** Deleting or restoring its experiment changes a run, hence `experiments`. */
    run: (runId: string) =>
      plan(`/runs/get?run_id=${runId}&run_uuid=${runId}`, [dependency.experiments, dependency.run(runId)]),
    experiment: (id: string) => plan(`/experiments/get?experiment_id=${id}`, [dependency.experiments]),
    experimentByName: (name: string) =>
      plan(`/experiments/get-by-name?experiment_name=${encodeURIComponent(name)}`, [dependency.experiments]),
  };
}
