import { chunksOf } from '../domain/chunks-of.ts';
import type { RunAdapter } from '../plan/adapter.ts';
import type { Coverage, RunsIndex } from '../plan/runs-index.ts';
import { countRuns } from './count-runs.ts';

export type ExperimentState = Coverage | 'not recorded';

export interface ExperimentStatus {
  readonly experimentId: string;
  readonly state: ExperimentState;
  /** Number of runs, when they were counted. */
  readonly indexRuns?: number;
  readonly backendRuns?: number;
}

/** How far an index can be trusted. */
export interface IndexStatus {
  /** 0 when no gateway has used it. */
  readonly epoch: number;
  /** How many experiments are in which state. */
  readonly states: Readonly<Record<ExperimentState, number>>;
  /** Runs of these experiments. */
  readonly indexRuns: number;
  /** When they were counted. */
  readonly backendRuns?: number;
  readonly experiments: readonly ExperimentStatus[];
}

export interface StatusOptions {
  readonly experimentIds: readonly string[];
  /** The backend, to count the runs of each experiment on both sides. */
  readonly countedIn?: RunAdapter | undefined;
  readonly signal: AbortSignal;
}

/** So many ids a search takes on every source. */
const EXPERIMENTS_A_SEARCH = 1_000;

/** Asks a prepared index how far it is. @throws what index and backend throw. */
export async function indexStatus(index: RunsIndex, options: StatusOptions): Promise<IndexStatus> {
  const { experimentIds, countedIn, signal } = options;
  const epoch = await index.epoch();
  const coverage = await index.coverage(experimentIds, epoch);
  const states = { complete: 0, excluded: 0, 'not recorded': 0 };
  const experiments: ExperimentStatus[] = [];
  for (const experimentId of experimentIds) {
    const state = coverage.get(experimentId) ?? 'not recorded';
    states[state]++;
    const counts = countedIn && {
      indexRuns: await countRuns(index, [experimentId], signal),
      backendRuns: await countRuns(countedIn, [experimentId], signal),
    };
    experiments.push({ experimentId, state, ...counts });
  }
  const sumOf = (count: 'indexRuns' | 'backendRuns') => experiments.reduce((sum, each) => sum + (each[count] ?? 0), 0);
  const counts = countedIn
    ? { indexRuns: sumOf('indexRuns'), backendRuns: sumOf('backendRuns') }
    : { indexRuns: await countAll(index, experimentIds, signal) };
  return { epoch, states, ...counts, experiments };
}

async function countAll(index: RunAdapter, experimentIds: readonly string[], signal: AbortSignal): Promise<number> {
  let runs = 0;
  for (const ids of chunksOf(EXPERIMENTS_A_SEARCH, experimentIds)) runs += await countRuns(index, ids, signal);
  return runs;
}
