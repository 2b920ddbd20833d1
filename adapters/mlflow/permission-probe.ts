import { decodeRun } from '../../src/domain/run-text.ts';
import { BackendAnswer } from '../../src/plan/backend-answer.ts';
import type { BackendCaller } from '../../src/plan/backend-caller.ts';
import type { PermissionProbe } from '../../src/plan/permission-probe.ts';
import { createOwnRequester } from '../../src/upstream/own-requester.ts';
import type { Requester, UpstreamResponse } from '../../src/upstream/upstream-client.ts';
import { get } from './ask.ts';
import { fetchRuns, VIEW_TYPE } from './run-adapter.ts';
import { isOneOf } from './run-reader.ts';

/** Asks MLflow as a caller would (`mlflow/server/auth/__init__.py`: 403 is what the caller may not). */
export function createPermissionProbe(client: Requester): PermissionProbe {
  return {
    async searchRuns(caller, runs, signal) {
      const search = {
        experiment_ids: [...new Set(runs.values())],
        filter: isOneOf([...runs.keys()]),
        run_view_type: VIEW_TYPE.all,
      };
      try {
        const found = await fetchRuns(inNameOf(caller, client), search, { limit: runs.size, offset: 0 }, signal);
        return new Set(found.runs.map((text) => decodeRun(text).runId));
      } catch (error) {
        if (error instanceof BackendAnswer) return undefined;
        throw error;
      }
    },
    async readRun(caller, runId, signal) {
      const answer = await get(inNameOf(caller, client), 'runs/get', { run_id: runId }, signal);
      const allowed = isAllowed(answer);
      return allowed ? answer.body.toString('utf8') : allowed;
    },
    mayReadExperiment: async (caller, experimentId, signal) =>
      isAllowed(await get(inNameOf(caller, client), 'experiments/get', { experiment_id: experimentId }, signal)),
  };
}

const inNameOf = (caller: BackendCaller, client: Requester) => createOwnRequester(client, caller.authorization);

const isAllowed = ({ status }: UpstreamResponse): boolean | undefined =>
  status === 200 ? true : status === 403 ? false : undefined;
