import { refusal } from '../azure-error.ts';
import { findRun, namedRun } from '../held-runs.ts';
import { isGuid, toExperimentGuid, toRunGuid } from '../ids.ts';
import type { Pair, Run } from '../present-run.ts';
import { HIDDEN, TAG, withRunHex } from '../run-tags.ts';
import type { Call, Endpoint, Workspace } from '../workspace.ts';
import { listIn } from './fields.ts';
import { checkTags, checkTagsOf } from './tag-limits.ts';

const LOST_TAGS = ['mlflow.source.name', 'mlflow.source.type'];

export const getRun: Endpoint = async (call, workspace) => ({ run: (await namedRun(call, workspace)).run });

export const createRun: Endpoint = async ({ body, caller, version }, workspace) => {
  const { rules, mlflow } = workspace;
  const number = await workspace.experimentNumber(body.experiment_id);
  const sent = listIn(body.tags, 'tags') as readonly Pair[];
  checkTags(sent, rules);
  const kept = rules.sourceTagsDropped ? sent.filter(({ key }) => !LOST_TAGS.includes(key)) : sent;
  const hidden =
    body.experiment_id === toExperimentGuid(number)
      ? []
      : [{ key: HIDDEN.sentExperiment, value: `${body.experiment_id}` }];
  const { run } = await mlflow.post<{ run: Run }>('runs/create', {
    ...body,
    experiment_id: number,
    ...(rules.callerIsUser ? { user_id: caller.displayName } : {}),
    tags: [...kept.map(withRunHex), ...(await rootTag(sent, version, workspace)), ...hidden],
  });
  return { run: (await findRun(toRunGuid(run.info.run_id), version, workspace)).run };
};

/** The root of a child is that of its parent; a run without parent is its own, which need not be kept. */
async function rootTag(tags: readonly Pair[], version: Call['version'], workspace: Workspace): Promise<Pair[]> {
  const parent = tags.find(({ key }) => key === TAG.parent)?.value;
  if (parent === undefined || !isGuid(parent)) return [];
  const { run } = await findRun(parent, version, workspace);
  const root = run.data.tags?.find(({ key }) => key === TAG.root)?.value ?? parent;
  return [withRunHex({ key: TAG.root, value: root })];
}

export const updateRun: Endpoint = async (call, workspace) => {
  const { rules, mlflow, random } = workspace;
  const { run, hex } = await namedRun(call, workspace);
  const { end_time: sent } = call.body;
  const end = Number(sent) - Math.ceil(random() * 999);
  const isOwn = rules.ownEndTime && sent !== undefined && sent !== null && end >= Number(run.info.start_time);
  await mlflow.post('runs/update', { ...forMlflow(call, hex), ...(isOwn ? { end_time: end } : {}) });
  const { artifact_uri, ...info } = (await findRun(run.info.run_id, call.version, workspace)).run.info;
  return { run_info: rules.updateWithoutArtifactUri ? info : { ...info, artifact_uri } };
};

/** A write to one run that the MLflow behind does as it is. */
export const writeToRun: Endpoint = async (call, workspace) => {
  const { hex } = await namedRun(call, workspace);
  await workspace.mlflow.post(call.path, forMlflow(call, hex));
};

export const setTag: Endpoint = async (call, workspace) => {
  const { key, value } = call.body;
  if (typeof key !== 'string' || key === '') throw refusal("Required parameter 'key' is missing.");
  const { run, hex } = await namedRun(call, workspace);
  const tag = { key, value: `${value ?? ''}` };
  checkTagsOf(run, [tag], workspace.rules);
  await workspace.mlflow.post('runs/set-tag', { ...forMlflow(call, hex), ...withRunHex(tag) });
};

export const logInputs: Endpoint = async (call, workspace) => {
  if (workspace.rules.logInputsRefused) throw refusal('Logging inputs is not enabled for this workspace.');
  return writeToRun(call, workspace);
};

export const forMlflow = ({ body }: Call, hex: string) => ({ ...body, run_id: hex, run_uuid: hex });
