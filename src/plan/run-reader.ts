import type { Run } from '../domain/run.ts';
import type { Filter } from '../query/ast.ts';

/** What the feed needs of a backend: runs as the backend's own search JSON, deleted ones included. */
export interface RunReader {
  /** Ids of all experiments, deleted ones included. */
  experimentIds(signal: AbortSignal): Promise<readonly string[]>;
  /** All experiments by id, deleted ones included, each with its stage. */
  experimentStages(signal: AbortSignal): Promise<ReadonlyMap<string, Run['lifecycleStage']>>;
  /** The experiment a run belongs to; undefined when the backend does not know the run. */
  experimentOf(runId: string, signal: AbortSignal): Promise<string | undefined>;
  /** Those of the runs that exist, in any order. At most 100 ids. */
  readRuns(experimentId: string, runIds: readonly string[], signal: AbortSignal): Promise<readonly string[]>;
  /**
   * Every run of an experiment, page by page, newest first. A run created meanwhile may be missing, one that was there
   * all the time never is; a run may come twice. With `from`, only runs that started no later.
   */
  scanExperiment(experimentId: string, signal: AbortSignal, from?: bigint): AsyncIterable<readonly string[]>;
  /** As `scanExperiment`, of several experiments, and of those runs alone that a filter over attributes finds. */
  scanRuns(
    experimentIds: readonly string[],
    filter: Filter | undefined,
    signal: AbortSignal,
  ): AsyncIterable<readonly string[]>;
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
