import type { BackendCaller } from './backend-caller.ts';

/** Questions to a backend in the name of a caller. Undefined where its answer does not tell. @throws GatewayError */
export interface PermissionProbe {
  /** Those of the runs, each with its experiment, that a search of the caller's finds. */
  searchRuns(
    caller: BackendCaller,
    runs: ReadonlyMap<string, string>,
    signal: AbortSignal,
  ): Promise<ReadonlySet<string> | undefined>;
  /** What the caller is given of a run, in JSON; false when it is refused. */
  readRun(caller: BackendCaller, runId: string, signal: AbortSignal): Promise<string | false | undefined>;
  mayReadExperiment(caller: BackendCaller, experimentId: string, signal: AbortSignal): Promise<boolean | undefined>;
}
