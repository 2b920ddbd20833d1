import type { PythonJson } from '../domain/python-text.ts';

export interface KeyValue {
  readonly key: string;
  readonly value: string;
}

/** One value of a metric. A value is NaN where MLflow says NaN, and may be infinite when it comes in. */
export interface MetricPoint {
  readonly value: number;
  /** Milliseconds since 1970. */
  readonly timestamp: bigint;
  readonly step: bigint;
}

export interface LoggedMetric extends MetricPoint {
  readonly key: string;
  /** A logged model that the value is of as well. */
  readonly modelId?: string | undefined;
}

export interface RunMetricPoint extends MetricPoint {
  readonly runId: string;
}

export type Stage = 'active' | 'deleted';
export type RunStatus = 'RUNNING' | 'SCHEDULED' | 'FINISHED' | 'FAILED' | 'KILLED';

export interface StoredExperiment {
  readonly experimentId: string;
  readonly name: string;
  readonly artifactLocation: string;
  readonly stage: Stage;
  readonly creationTime: bigint;
  readonly lastUpdateTime: bigint;
  readonly tags: readonly KeyValue[];
}

export interface DatasetInput {
  readonly tags: readonly KeyValue[];
  readonly name: string;
  readonly digest: string;
  readonly sourceType: string;
  readonly source: string;
  readonly schema: string | undefined;
  readonly profile: string | undefined;
}

export interface ModelOutput {
  readonly modelId: string;
  readonly step: bigint;
}

export interface DatasetSummary {
  readonly experimentId: string;
  readonly name: string;
  readonly digest: string;
  readonly context: string | undefined;
}

interface OfExperiment {
  /** As it was sent: what Python's `int` reads as a number. */
  readonly experimentId: string;
}

interface OfRun {
  readonly runId: string;
}

export interface NewExperiment {
  readonly name: string;
  /** Empty: where the artifacts of this experiment are by default. */
  readonly artifactLocation: string;
  readonly tags: readonly KeyValue[];
}

export interface NewRun extends OfExperiment {
  readonly userId: string;
  /** Empty: taken from the tag `mlflow.runName`, or made up. */
  readonly runName: string;
  readonly startTime: bigint;
  readonly tags: readonly KeyValue[];
}

export interface RunUpdate extends OfRun {
  readonly status: RunStatus | undefined;
  readonly endTime: bigint | undefined;
  readonly runName: string | undefined;
}

export interface RunBatch extends OfRun {
  readonly metrics: readonly LoggedMetric[];
  readonly params: readonly KeyValue[];
  readonly tags: readonly KeyValue[];
}

export interface RunInputs extends OfRun {
  readonly datasets: readonly DatasetInput[];
  readonly modelIds: readonly string[];
}

export interface HistoryRequest extends OfRun {
  readonly metricKey: string;
  readonly offset: bigint;
  /** Absent: all. */
  readonly maxResults: number | undefined;
}

export interface HistoryPage {
  readonly points: readonly MetricPoint[];
  readonly hasMore: boolean;
}

export interface BulkHistoryRequest {
  readonly runIds: readonly string[];
  readonly metricKey: string;
  /** Of all runs together; negative for no limit. */
  readonly maxResults: bigint;
}

export interface SampledHistoryRequest {
  readonly runIds: readonly string[];
  readonly metricKey: string;
  /** Of each run. */
  readonly maxResults: number;
  readonly steps: { readonly from: bigint; readonly to: bigint } | undefined;
}

/** JSON of a run, as MLflow writes it but compact. */
export type RunText = string;

/**
 * A tracking store of our own: what MLflow keeps about experiments and runs, under MLflow's rules. Operations take one
 * plain argument and give a plain result, since they are carried to another thread. Each is one transaction.
 * All throw a GatewayError with MLflow's code and words.
 */
export interface TrackingStore {
  /** @returns the id. */
  createExperiment(experiment: NewExperiment): string;
  getExperiment(of: OfExperiment): StoredExperiment;
  getExperimentByName(of: { readonly name: string }): StoredExperiment;
  updateExperiment(change: OfExperiment & { readonly newName: string }): void;
  deleteExperiment(of: OfExperiment): void;
  restoreExperiment(of: OfExperiment): void;
  setExperimentTag(tag: OfExperiment & KeyValue): void;
  deleteExperimentTag(tag: OfExperiment & { readonly key: string }): void;
  /** All, deleted ones too. */
  listExperiments(): readonly StoredExperiment[];
  /** @returns the run as `runs/create` shows it: without outputs. */
  createRun(run: NewRun): RunText;
  /** @returns the run as `runs/get` shows it: with the models it was given. */
  getRun(of: OfRun): RunText;
  /** @returns the run's info alone. */
  updateRun(change: RunUpdate): RunText;
  deleteRun(of: OfRun): void;
  restoreRun(of: OfRun): void;
  logMetric(metric: OfRun & LoggedMetric): void;
  logBatch(batch: RunBatch): void;
  logParameter(param: OfRun & KeyValue): void;
  setTag(tag: OfRun & KeyValue): void;
  deleteTag(tag: OfRun & { readonly key: string }): void;
  logInputs(inputs: RunInputs): void;
  logOutputs(outputs: OfRun & { readonly models: readonly ModelOutput[] }): void;
  /** Adds to the run's tag `mlflow.log-model.history`. */
  logModel(model: OfRun & { readonly entry: PythonJson }): void;
  /** Ordered by timestamp, step and value; empty for what does not exist. */
  getMetricHistory(request: HistoryRequest): HistoryPage;
  /** Ordered by run id, timestamp, step and value. */
  getMetricHistoryBulk(request: BulkHistoryRequest): readonly RunMetricPoint[];
  /** Evenly sampled over step, timestamp and value, with the last point; runs in the order they are named. */
  getMetricHistoryBulkInterval(request: SampledHistoryRequest): readonly RunMetricPoint[];
  /** At most 1000, each once. */
  searchDatasets(request: { readonly experimentIds: readonly string[] }): readonly DatasetSummary[];
}

export type TrackingOperation = keyof TrackingStore;
