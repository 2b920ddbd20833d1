import { toRunGuid, toRunHex } from './ids.ts';

/** MLflow's own. */
export const TAG = {
  user: 'mlflow.user',
  runName: 'mlflow.runName',
  parent: 'mlflow.parentRunId',
  root: 'mlflow.rootRunId',
} as const;

const PREFIX = 'azureml.standIn.';

/** Tags of the MLflow behind that say what it has no field for; callers do not see them. */
export const HIDDEN = {
  /** An id that is no GUID, such as the name of a job. */
  runId: `${PREFIX}runId`,
  /** A state of run history, such as `Completed`. */
  jobState: `${PREFIX}jobState`,
  /** The experiment id that runs/create was given. */
  sentExperiment: `${PREFIX}sentExperiment`,
} as const;

export const isHidden = (key: string): boolean => key.startsWith(PREFIX);

interface Pair {
  readonly key: string;
  readonly value: string;
}

const namesARun = (key: string): boolean => key === TAG.parent || key === TAG.root;

/** A tag of the MLflow behind, as the service would have it. */
export const withRunGuid = ({ key, value }: Pair): Pair => ({ key, value: namesARun(key) ? toRunGuid(value) : value });

/** The reverse. */
export const withRunHex = ({ key, value }: Pair): Pair => ({ key, value: namesARun(key) ? toRunHex(value) : value });
