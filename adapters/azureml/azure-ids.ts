/**
 * Ids as Azure gives them: GUIDs for experiments, and for runs GUIDs or the names of jobs. In capitals they may be other
 * spellings of the same, for all that is known, so those are left to Azure.
 */
export const AZURE_IDS = {
  experiment: /^(?:0|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/,
  run: /^[0-9a-z][0-9a-z_-]{0,255}$/,
};

/** What stands for the workspace's default experiment in requests; answers have its GUID. */
export const DEFAULT_EXPERIMENT = '0';
