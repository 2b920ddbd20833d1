import { type JsonSource, listOf, RawJson } from '../../domain/json-text.ts';
import { pythonJson } from '../../domain/python-text.ts';
import type {
  DatasetSummary,
  MetricPoint,
  RunMetricPoint,
  RunText,
  StoredExperiment,
} from '../../plan/tracking-store.ts';

/** An experiment in MLflow's answers. */
export const presentExperiment = (experiment: StoredExperiment): JsonSource => ({
  experiment_id: experiment.experimentId,
  name: experiment.name,
  artifact_location: experiment.artifactLocation,
  lifecycle_stage: experiment.stage,
  last_update_time: experiment.lastUpdateTime,
  creation_time: experiment.creationTime,
  tags: listOf(experiment.tags.map(({ key, value }) => ({ key, value }))),
  workspace: 'default',
});

export const presentRunText = (text: RunText): JsonSource => new RawJson(text);

export const presentHistory = (key: string, points: readonly MetricPoint[]): JsonSource =>
  listOf(points.map(({ value, timestamp, step }) => ({ key, value, timestamp, step })));

export const presentRunHistory = (key: string, points: readonly RunMetricPoint[]): JsonSource =>
  listOf(points.map(({ value, timestamp, step, runId }) => ({ key, value, timestamp, step, run_id: runId })));

/** The one answer of MLflow that is no message: keys sorted, an empty list, and a bare `NaN`, which is no JSON. */
export const presentBulkHistory = (key: string, points: readonly RunMetricPoint[]): string =>
  `${pythonJson({
    metrics: points.map(({ value, timestamp, step, runId }) => ({ key, run_id: runId, step, timestamp, value })),
  })}\n`;

export const presentDatasets = (summaries: readonly DatasetSummary[]): JsonSource =>
  listOf(
    summaries.map(({ experimentId, name, digest, context }) => ({
      experiment_id: experimentId,
      name,
      digest,
      context,
    })),
  );
