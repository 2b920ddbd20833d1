import { randomUUID } from 'node:crypto';
import { invalidParameter } from '../../../src/errors/gateway-error.ts';
import type { NewRun, RunText, RunUpdate, Stage, TrackingStore } from '../../../src/plan/tracking-store.ts';
import { sql } from '../sql.ts';
import type { Statements } from '../statements.ts';
import { artifactUriOf } from './artifact-uri.ts';
import { findActiveExperiment } from './experiment-rows.ts';
import { presentInfo, presentRun } from './present-run.ts';
import { randomRunName } from './random-run-name.ts';
import { refreshRunText } from './refresh-run-text.ts';
import { refused } from './refusals.ts';
import { findActiveRun, findRun, type RunRow } from './run-rows.ts';
import { putTags, RUN_NAME } from './tags.ts';

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
  const artifactUri = artifactUriOf(experiment.artifact_location, runId);
  const row = statements.get<RunRow>(sql`
    INSERT INTO runs (run_id, experiment_id, stage, start_time, name, status, user_id, artifact_uri)
    VALUES (${runId}, ${String(experiment.id)}, 'active', ${run.startTime}, ${name}, 'RUNNING', ${run.userId},
      ${artifactUri})
    RETURNING *`) as RunRow;
  putTags(statements, row.id, tags);
  refreshRunText(statements, row.id);
  return presentRun(statements, row, 'create');
}

/** @throws GatewayError INVALID_PARAMETER_VALUE when name and tag disagree */
function nameOf({ runName, tags }: NewRun) {
  const tag = tags.find(({ key }) => key === RUN_NAME)?.value ?? '';
  if (runName && tag && runName !== tag) {
    throw invalidParameter(
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
  const changed = statements.get<RunRow>(sql`
    UPDATE runs SET status = coalesce(${status ?? null}, status), end_time = coalesce(${endTime ?? null}, end_time),
      name = coalesce(${name}, name)
    WHERE id = ${run.id} RETURNING *`);
  if (name !== null) putTags(statements, run.id, [{ key: RUN_NAME, value: name }]);
  refreshRunText(statements, run.id);
  return presentInfo(changed ?? run);
}

function move(statements: Statements, runId: string, stage: Stage): void {
  const { id } = findRun(statements, runId);
  statements.run(sql`UPDATE runs SET stage = ${stage} WHERE id = ${id}`);
  refreshRunText(statements, id);
}
