import { createRun } from '../test/fixtures/create-run.ts';
import { alternate } from './alternate.ts';
import { whileWriting } from './metric-writer.ts';
import type { Say } from './progress.ts';
import { reachWorkers } from './reach-workers.ts';
import type { RecordedRequest } from './recorder.ts';
import { type LoadRound, loadSearches, type SearchLoad, summarizeLoad } from './search-load.ts';
import { median } from './statistics.ts';

/** A load beside writes. */
export interface WrittenLoad extends SearchLoad {
  readonly writesPerSecond: number;
}

export interface MlflowLoad {
  readonly clients: number;
  /** Different searches in the mix. */
  readonly searches: number;
  readonly rounds: number;
  readonly quiet: Readonly<Record<'mlflow' | 'gateway', SearchLoad>>;
  readonly written: Readonly<Record<'mlflow' | 'strict' | 'eventual', WrittenLoad>>;
}

interface LoadedServers {
  readonly mlflowUrl: string;
  readonly gatewayUrl: string;
  /** The mix: searches that the index answers. */
  readonly requests: readonly RecordedRequest[];
  /** What they search. */
  readonly experimentIds: readonly string[];
  /** Not searched. What is written past the gateway goes here: with what is searched, its index would not have it. */
  readonly otherExperimentId: string;
  readonly seconds: number;
}

/** What `mlflow server` starts by itself. */
export const MLFLOW_WORKERS = 4;
const CLIENTS = 16;
const ROUNDS = 5;
const WRITES_A_SECOND = 50;
/** Runs that are written to. */
const WRITTEN_RUNS = 20;

/** Many clients at once: MLflow and the gateway in turns, without writes and beside them. */
export async function loadMlflowAndGateway(servers: LoadedServers, say: Say): Promise<MlflowLoad> {
  const { mlflowUrl, gatewayUrl, requests, experimentIds, otherExperimentId, seconds } = servers;
  const load = (url: string, headers: Readonly<Record<string, string>> = {}) => {
    const asked = requests.map((request) => ({ ...request, headers: { ...request.headers, ...headers } }));
    return () => loadSearches({ url, requests: asked, clients: CLIENTS, seconds });
  };
  if (requests[0]) await reachWorkers(mlflowUrl, requests[0], MLFLOW_WORKERS);
  say(`${CLIENTS} clients: ${ROUNDS} rounds of ${seconds} s each`);
  const quiet = await alternate({ mlflow: load(mlflowUrl), gateway: load(gatewayUrl) }, ROUNDS);

  const createRuns = async (ids: readonly string[]) => {
    const runIds: string[] = [];
    for (let i = 0; i < WRITTEN_RUNS; i++)
      runIds.push(await createRun(gatewayUrl, { experiment_id: ids[i % ids.length], start_time: Date.now() }));
    return runIds;
  };
  const ofGateway = { url: gatewayUrl, runIds: await createRuns(experimentIds), perSecond: WRITES_A_SECOND };
  const ofMlflow = { url: mlflowUrl, runIds: await createRuns([otherExperimentId]), perSecond: WRITES_A_SECOND };
  const consistency = (name: string) => load(gatewayUrl, { 'x-gateway-consistency': name });
  say(`${CLIENTS} clients beside ${WRITES_A_SECOND} writes a second: ${ROUNDS} rounds of ${seconds} s each`);
  const written = await alternate(
    {
      mlflow: () => whileWriting(ofMlflow, load(mlflowUrl)),
      strict: () => whileWriting(ofGateway, consistency('strict')),
      eventual: () => whileWriting(ofGateway, consistency('eventual')),
    },
    ROUNDS,
  );
  return {
    ...{ clients: CLIENTS, searches: requests.length, rounds: ROUNDS },
    quiet: { mlflow: summarizeLoad(quiet.mlflow), gateway: summarizeLoad(quiet.gateway) },
    written: {
      mlflow: summarizeWritten(written.mlflow),
      strict: summarizeWritten(written.strict),
      eventual: summarizeWritten(written.eventual),
    },
  };
}

const summarizeWritten = (
  rounds: readonly { readonly result: LoadRound; readonly writesPerSecond: number }[],
): WrittenLoad => ({
  ...summarizeLoad(rounds.map(({ result }) => result)),
  writesPerSecond: median(rounds.map(({ writesPerSecond }) => writesPerSecond)),
});
