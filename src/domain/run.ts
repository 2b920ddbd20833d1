/** A dataset that a run used. `context` is the input tag `mlflow.data.context`; absent when the input has no such tag. */
export interface RunDataset {
  readonly name: string;
  readonly digest: string;
  readonly context: string | undefined;
}

/** A run as filters and orderings see it. Times are milliseconds since 1970 and may pass 2^53, hence bigint. */
export interface Run {
  readonly runId: string;
  readonly experimentId: string;
  /** The run's own name column: what `order_by run_name` sorts by. Filters on `run_name` read the tag `mlflow.runName`. */
  readonly runName: string | undefined;
  readonly userId: string | undefined;
  readonly status: string | undefined;
  readonly artifactUri: string | undefined;
  readonly lifecycleStage: 'active' | 'deleted';
  readonly startTime: bigint;
  readonly endTime: bigint | undefined;
  /** Latest value per key; NaN where MLflow says NaN. */
  readonly metrics: ReadonlyMap<string, number>;
  readonly params: ReadonlyMap<string, string>;
  readonly tags: ReadonlyMap<string, string>;
  readonly datasets: readonly RunDataset[];
}

/** An experiment as filters and orderings see it. Times are milliseconds since 1970. */
export interface Experiment {
  /** A number where MLflow gave it, since it is ordered as one. */
  readonly experimentId: bigint | string;
  readonly name: string;
  readonly lifecycleStage: 'active' | 'deleted';
  readonly creationTime: bigint | undefined;
  readonly lastUpdateTime: bigint | undefined;
  readonly tags: ReadonlyMap<string, string>;
}
