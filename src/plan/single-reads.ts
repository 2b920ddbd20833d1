import { type Concern, dependency, type PlannedRead, type ReadAnswer, type Resource } from './read.ts';

/** Asks the backend for a path with its query. @throws GatewayError */
export type Get = (pathAndQuery: string, signal: AbortSignal) => Promise<ReadAnswer>;

/** Values of one metric of one run. */
export interface MetricHistory {
  readonly runId: string;
  readonly metricKey: string;
  readonly maxResults: number;
  readonly pageToken: string | undefined;
}

/** A sample of the values of one metric of several runs. */
export interface SampledHistories {
  readonly runIds: readonly string[];
  readonly metricKey: string;
  /** In decimal. */
  readonly startStep: string | undefined;
  readonly endStep: string | undefined;
  readonly maxResults: number;
}

const BASE = '/api/2.0/mlflow';

/** Reads of single runs, experiments and metrics; ids are canonical. The backend answers them, the cache keeps them. */
export function createSingleReads(get: Get) {
  const plan = (
    resource: Resource,
    concern: Concern,
    path: string,
    dependsOn: readonly string[] = [dependency.experiments],
  ): PlannedRead => ({
    resource,
    concern,
    key: path,
    dependsOn: [dependency.backend, ...dependsOn],
    fetch: (signal) => get(BASE + path, signal),
  });
  return {
    /** Deleting or restoring its experiment changes a run, hence `experiments`. */
    run: (runId: string) =>
      plan('run', { kind: 'runs', runIds: [runId] }, `/runs/get?run_id=${runId}&run_uuid=${runId}`, [
        dependency.experiments,
        dependency.run(runId),
      ]),
    experiment: (experimentId: string) =>
      plan('experiment', { kind: 'experiment', experimentId }, `/experiments/get?experiment_id=${experimentId}`),
    experimentByName: (name: string) =>
      plan(
        'experiment',
        { kind: 'named-experiment' },
        `/experiments/get-by-name?experiment_name=${encodeURIComponent(name)}`,
      ),
    metricHistory: ({ runId, metricKey, maxResults, pageToken }: MetricHistory) => {
      const given = {
        run_id: runId,
        run_uuid: runId,
        metric_key: metricKey,
        max_results: maxResults,
        page_token: pageToken,
      };
      const path = `/metrics/get-history?${print(given)}`;
      return plan('metricHistory', { kind: 'runs', runIds: [runId] }, path, [dependency.run(runId)]);
    },
    sampledHistories: ({ runIds, metricKey, startStep, endStep, maxResults }: SampledHistories) => {
      const given = { metric_key: metricKey, start_step: startStep, end_step: endStep, max_results: maxResults };
      const runs = runIds.map((id) => `run_ids=${id}`).join('&');
      const path = `/metrics/get-history-bulk-interval?${runs}&${print(given)}`;
      return plan('metricHistory', { kind: 'runs', runIds }, path, runIds.map(dependency.run));
    },
  };
}

const print = (parameters: Readonly<Record<string, string | number | undefined>>): string =>
  Object.entries(parameters)
    .flatMap(([name, value]) => (value === undefined ? [] : [`${name}=${encodeURIComponent(value)}`]))
    .join('&');
