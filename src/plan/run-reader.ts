/** What the feed needs of a backend: runs as the backend's own search JSON, deleted ones included. */
export interface RunReader {
  /** Ids of all experiments, deleted ones included. */
  experimentIds(signal: AbortSignal): Promise<readonly string[]>;
  /** The experiment a run belongs to; undefined when the backend does not know the run. */
  experimentOf(runId: string, signal: AbortSignal): Promise<string | undefined>;
  /** Those of the runs that exist, in any order. At most 100 ids. */
  readRuns(experimentId: string, runIds: readonly string[], signal: AbortSignal): Promise<readonly string[]>;
  /**
   * Every run of an experiment, page by page, newest first. A run created meanwhile may be missing, one that was there
   * all the time never is; a run may come twice.
   */
  scanExperiment(experimentId: string, signal: AbortSignal): AsyncIterable<readonly string[]>;
  /**
   * Those of the runs, or of all runs of the experiment, that ended at 0. MLflow leaves that `end_time` out of their JSON
   * as if they had none, and still finds and sorts them by it.
   */
  runsEndedAtZero(
    experimentId: string,
    runIds: readonly string[] | undefined,
    signal: AbortSignal,
  ): Promise<readonly string[]>;
}
