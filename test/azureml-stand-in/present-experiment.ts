import { toExperimentGuid } from './ids.ts';
import type { Pair } from './present-run.ts';

/** In MLflow's form, and so in Azure's. */
export interface Experiment {
  readonly experiment_id: string;
  readonly name: string;
  readonly artifact_location?: string;
  readonly lifecycle_stage: string;
  readonly creation_time?: string;
  readonly last_update_time?: string;
  readonly tags?: readonly Pair[];
}

/** What the service has for `artifact_location` is not known. */
export const presentExperiment = ({
  experiment_id,
  name,
  lifecycle_stage,
  creation_time,
  last_update_time,
  tags,
}: Experiment): Experiment => ({
  experiment_id: toExperimentGuid(experiment_id),
  ...{ name, artifact_location: '', lifecycle_stage },
  ...(last_update_time === undefined ? {} : { last_update_time }),
  ...(creation_time === undefined ? {} : { creation_time }),
  ...(tags?.length ? { tags } : {}),
});
