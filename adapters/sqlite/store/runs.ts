import { randomUUID } from 'node:crypto';
import type { NewRun, RunText, RunUpdate, Stage, TrackingStore } from '../../../src/plan/tracking-store.ts';
import { artifactUriOf } from './artifact-uri.ts';
import { findActiveExperiment } from './experiments.ts';
import { invalid, refused } from './invalid.ts';
import { presentInfo, presentRun } from './present-run.ts';
import { randomRunName } from './random-run-name.ts';
import { refreshRunText } from './refresh-run-text.ts';
import { findActiveRun, findRun, type RunRow } from './run-rows.ts';
import type { Statements } from './statements.ts';
import { putTag, RUN_NAME } from './tags.ts';

type Operations = 'createRun' | 'getRun' | 'updateRun' | 'deleteRun' | 'restoreRun';

export const runs = (statements: Statements): Pick<TrackingStore, Operations> => ({
  createRun: (run) => create(statements, run),
  getRun: ({ runId }) => presentRun(statements, findRun(statements, runId), 'get'),
  updateRun: (change) => update(statements, change),
  deleteRun: ({ runId }) => move(statements, runId, 'deleted'),
  restoreRun: ({ runId }) => move(statements, runId, 'active'),
});

/** MLflow checks neither keys nor lengths of the tags that a run begins with. */
function create(statements: Statements, run: NewRun): RunText {
  if (run.experimentId === '') throw refused('A run needs the id of its experiment: experiment_id is empty.');
  const experiment = findActiveExperiment(statements, run.experimentId);
  const { name, tags } = nameOf(run);
  if (new Set(tags.map(({ key }) => key)).size < tags.length) throw refused('Two of the tags have the same key.');
  const runId = randomUUID().replaceAll('-', '');
  const row = statements.get<RunRow>(
    `INSERT INTO runs (run_id, experiment_id, stage, start_time, name, status, user_id, artifact_uri)
     VALUES (?, ?, 'active', ?, ?, 'RUNNING', ?, ?) RETURNING *`,
    ...[runId, String(experiment.id), run.startTime, name, run.userId],
    artifactUriOf(experiment.artifact_location, runId),
  ) as RunRow;
  for (const tag of tags) putTag(statements, row.id, tag);
  refreshRunText(statements, row.id);
  return presentRun(statements, row, 'create');
}

/** @throws GatewayError INVALID_PARAMETER_VALUE when name and tag disagree */
function nameOf({ runName, tags }: NewRun) {
  const tag = tags.find(({ key }) => key === RUN_NAME)?.value ?? '';
  if (runName && tag && runName !== tag) {
    throw invalid(
      "Both 'run_name' argument and 'mlflow.runName' tag are specified, but with different values " +
        `(run_name='${runName}', mlflow.runName='${tag}').`,
    );
  }
  const name = runName || tag || randomRunName();
  return { name, tags: tag ? tags : [...tags, { key: RUN_NAME, value: name }] };
}

function update(statements: Statements, { runId, status, endTime, runName }: RunUpdate): RunText {
  const run = findActiveRun(statements, runId);
  const name = runName || null;
  const changed = statements.get<RunRow>(
    `UPDATE runs SET status = coalesce(?, status), end_time = coalesce(?, end_time), name = coalesce(?, name)
     WHERE id = ? RETURNING *`,
    ...[status ?? null, endTime ?? null, name, run.id],
  );
  if (name !== null) putTag(statements, run.id, { key: RUN_NAME, value: name });
  refreshRunText(statements, run.id);
  return presentInfo(changed ?? run);
}

function move(statements: Statements, runId: string, stage: Stage): void {
  const { id } = findRun(statements, runId);
  statements.run('UPDATE runs SET stage = ? WHERE id = ?', stage, id);
  refreshRunText(statements, id);
}
