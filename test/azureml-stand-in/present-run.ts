import { toExperimentGuid, toRunGuid } from './ids.ts';
import { HIDDEN, isHidden, TAG, withRunGuid } from './run-tags.ts';
import type { Version, Workspace } from './workspace.ts';

export interface Pair {
  readonly key: string;
  readonly value: string;
}

export interface Metric {
  readonly key: string;
  /** A text for what JSON has no number for. */
  readonly value: number | string;
  readonly timestamp: string;
  readonly step: string;
}

export interface RunInfo {
  readonly run_uuid: string;
  readonly experiment_id: string;
  readonly run_name?: string;
  readonly user_id?: string;
  readonly status: string;
  readonly start_time: string;
  readonly end_time?: string;
  readonly artifact_uri?: string;
  readonly lifecycle_stage: string;
  readonly run_id: string;
}

export interface DatasetInput {
  readonly dataset?: { readonly name?: string; readonly digest?: string };
  readonly tags?: readonly Pair[];
}

/** In MLflow's form, and so in Azure's. */
export interface Run {
  readonly info: RunInfo;
  readonly data: {
    readonly metrics?: readonly Metric[];
    readonly params?: readonly Pair[];
    readonly tags?: readonly Pair[];
  };
  readonly inputs?: { readonly dataset_inputs?: readonly DatasetInput[] };
}

/** A run as the service would give it, and what its filters see besides. */
export interface PresentedRun {
  readonly run: Run;
  readonly displayName: string;
  /** Of MLflow: 32 hexadecimal digits. */
  readonly hex: string;
  /** Where the MLflow behind keeps its artifacts. */
  readonly heldUri: string;
}

/** States of a job in run history, by the status that MLflow's API gives them (query article; the rest assumed). */
const STATUS_OF_JOB: Readonly<Record<string, string>> = {
  ...{ NotStarted: 'SCHEDULED', Unapproved: 'SCHEDULED', Queued: 'SCHEDULED', Preparing: 'SCHEDULED' },
  ...{ Provisioning: 'SCHEDULED', Starting: 'SCHEDULED', Pausing: 'SCHEDULED', Paused: 'SCHEDULED' },
  ...{ Running: 'RUNNING', Finalizing: 'RUNNING', CancelRequested: 'RUNNING', NotResponding: 'RUNNING' },
  ...{ Completed: 'FINISHED', Failed: 'FAILED', Canceled: 'KILLED' },
};

export async function presentRun(held: Run, version: Version, workspace: Workspace): Promise<PresentedRun> {
  const { rules, callers } = workspace;
  const hidden = new Map(
    (held.data.tags ?? []).filter(({ key }) => isHidden(key)).map(({ key, value }) => [key, value]),
  );
  const hex = held.info.run_id;
  const id = (rules.jobRuns && hidden.get(HIDDEN.runId)) || toRunGuid(hex);
  const displayName = held.info.user_id ?? '';
  const status = (rules.jobRuns && STATUS_OF_JOB[hidden.get(HIDDEN.jobState) ?? '']) || held.info.status;
  const experiment = toExperimentGuid(held.info.experiment_id);
  const names = { id, experiment: hidden.get(HIDDEN.sentExperiment) ?? experiment };
  const artifactUri = await artifactUriOf(held, names, version, workspace);
  const info = {
    ...held.info,
    ...{ run_uuid: id, run_id: id, experiment_id: experiment, status },
    ...(artifactUri === undefined ? {} : { artifact_uri: artifactUri }),
    ...(rules.callerIsUser && displayName !== '' ? { user_id: callers.objectIdOf(displayName) } : {}),
  };
  const tags = (held.data.tags ?? []).filter(({ key }) => !isHidden(key)).map(withRunGuid);
  const data = { ...held.data, tags: rules.addedTags ? withAddedTags(tags, info, displayName) : tags };
  return { run: { info, data, inputs: held.inputs ?? {} }, displayName, hex, heldUri: held.info.artifact_uri ?? '' };
}

function withAddedTags(tags: readonly Pair[], { run_id, run_name }: RunInfo, displayName: string): Pair[] {
  const find = (wanted: string) => tags.find(({ key }) => key === wanted)?.value;
  const root = find(TAG.root) ?? find(TAG.parent) ?? run_id;
  return [
    ...tags.filter(({ key }) => key !== TAG.root && key !== TAG.runName),
    { key: TAG.root, value: root },
    ...(run_name ? [{ key: TAG.runName, value: run_name }] : []),
    ...(displayName ? [{ key: TAG.user, value: displayName }] : []),
  ];
}

async function artifactUriOf(
  { info }: Run,
  { id, experiment }: { readonly id: string; readonly experiment: string },
  version: Version,
  workspace: Workspace,
): Promise<string | undefined> {
  if (!workspace.rules.azureArtifactUri) return info.artifact_uri;
  const rest = `runs/${id}/artifacts`;
  if (version === 'v1.0') return `azureml://experiments/${await workspace.experimentName(info.experiment_id)}/${rest}`;
  return `azureml://${workspace.host}/mlflow/v2.0${workspace.scope}/experiments/${experiment}/${rest}`;
}
