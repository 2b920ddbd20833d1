import { plainError, refusal } from '../azure-error.ts';
import { readRuns } from '../held-runs.ts';
import { toExperimentGuid } from '../ids.ts';
import { type Experiment, presentExperiment } from '../present-experiment.ts';
import type { Endpoint, Workspace } from '../workspace.ts';

interface OneExperiment {
  readonly experiment: Experiment;
}

export const createExperiment: Endpoint = async ({ body }, { mlflow }) => {
  const { artifact_location: _notOurs, ...rest } = body;
  const { experiment_id } = await mlflow.post<{ experiment_id: string }>('experiments/create', rest);
  return { experiment_id: toExperimentGuid(experiment_id) };
};

export const getExperiment: Endpoint = async ({ query }, workspace) => {
  const number = await workspace.experimentNumber(query.get('experiment_id'));
  const { experiment } = await workspace.mlflow.get<OneExperiment>('experiments/get', { experiment_id: number });
  return { experiment: presentExperiment(experiment) };
};

export const getExperimentByName: Endpoint = async ({ query }, workspace) => {
  const name = query.get('experiment_name') ?? '';
  if (name === '') throw refusal("Required parameter 'experiment_name' is missing.");
  if (isUnseen(name, workspace))
    throw plainError(404, 'RESOURCE_DOES_NOT_EXIST', `Could not find experiment with name '${name}'`);
  const byName = { experiment_name: name };
  const { experiment } = await workspace.mlflow.get<OneExperiment>('experiments/get-by-name', byName);
  return { experiment: presentExperiment(experiment) };
};

/** Whether an experiment of this name was created and can then not be found. */
export const isUnseen = (name: string, { rules }: Workspace): boolean => rules.slashHides && name.includes('/');

export const updateExperiment: Endpoint = async (call, workspace) => {
  const number = await workspace.experimentNumber(call.body.experiment_id);
  if (workspace.rules.renameRefused) throw refusal('Renaming an experiment is not supported.');
  await workspace.mlflow.post('experiments/update', { ...call.body, experiment_id: number });
  workspace.forgetExperiment(number);
};

export const deleteExperiment: Endpoint = async (call, workspace) => {
  const number = await workspace.experimentNumber(call.body.experiment_id);
  if (workspace.rules.fullExperimentsKept && (await hasRuns(number, workspace)))
    throw refusal('Only empty Experiments can be deleted. This experiment contains run(s)');
  await workspace.mlflow.post('experiments/delete', { experiment_id: number });
};

const hasRuns = async (number: string, workspace: Workspace): Promise<boolean> =>
  (await readRuns(workspace, { numbers: [number], view: 'ALL' })).length > 0;

/** A write to one experiment that the MLflow behind does as it is. */
export const writeToExperiment: Endpoint = async (call, workspace) => {
  const number = await workspace.experimentNumber(call.body.experiment_id);
  await workspace.mlflow.post(call.path, { ...call.body, experiment_id: number });
};
