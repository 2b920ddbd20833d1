import { alternate } from './alternate.ts';
import { createRuns } from './create-runs.ts';
import { whileWriting } from './metric-writer.ts';
import type { Say } from './progress.ts';
import { reachWorkers } from './reach-workers.ts';
import type { RecordedRequest } from './recorder.ts';
import { CLIENTS, type LoadRound, loadSearches, ROUNDS, type SearchLoad, summarizeLoad } from './search-load.ts';
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
const WRITES_A_SECOND = 50;
/** Runs that are written to. */
const WRITTEN_RUNS = 20;

/** Many clients at once: MLflow and the gateway in turns, without writes and beside them. */
export async function loadMlflowAndGateway(servers: LoadedServers, say: Say): Promise<MlflowLoad> {
  const { mlflowUrl, gatewayUrl, requests, experimentIds, otherExperimentId, seconds } = servers;
  const load = (url: string, headers: Readonly<Record<string, string>> = {}) => {
    const asked = requests.map((request) => ({ ...request, headers: { ...request.headers, ...headers } }));
    return () => loadSearches({ url, requests: asked, seconds });
  };
  if (requests[0]) await reachWorkers(mlflowUrl, requests[0], MLFLOW_WORKERS);
  say(`${CLIENTS} clients: ${ROUNDS} rounds of ${seconds} s each`);
  const quiet = await alternate({ mlflow: load(mlflowUrl), gateway: load(gatewayUrl) }, ROUNDS);

  const writtenRuns = (ids: readonly string[]) => createRuns(gatewayUrl, ids, WRITTEN_RUNS);
  const ofGateway = { url: gatewayUrl, runIds: await writtenRuns(experimentIds), perSecond: WRITES_A_SECOND };
  const ofMlflow = { url: mlflowUrl, runIds: await writtenRuns([otherExperimentId]), perSecond: WRITES_A_SECOND };
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
