import { isDeepStrictEqual } from 'node:util';
import type { Run } from '../../src/domain/run.ts';
import type { RunHistory } from './history.ts';

/**
 * MLflow reads each of these in a statement of its own, and a `log-batch` writes them one after the other: so each may
 * be of another moment, and a write without an answer may have come half-way.
 */
const PARTS: Readonly<Record<string, (run: Run) => unknown>> = {
  info: ({ experimentId, userId, startTime, runName, status, endTime }) => [
    [experimentId, userId, startTime],
    [runName, status, endTime],
  ],
  stage: ({ lifecycleStage }) => lifecycleStage,
  metrics: ({ metrics }) => metrics,
  params: ({ params }) => params,
  tags: ({ tags }) => tags,
  datasets: ({ datasets }) => new Set(datasets.map(({ name, digest, context }) => `${name} ${digest} ${context}`)),
};

/** Why a run that was seen is in none of the states it may have been in; undefined when it is in one. */
export function unexplained(seen: Run, history: RunHistory, states: readonly Run[]): string | undefined {
  if (history.runId !== undefined && history.runId !== seen.runId) return `There are two runs of ${history.who}.`;
  history.runId = seen.runId;
  const wrong = Object.entries(PARTS).filter(
    ([, part]) => !states.some((state) => isDeepStrictEqual(part(state), part(seen))),
  );
  if (wrong.length === 0) return undefined;
  return `No state of ${history.who} has these ${wrong.map(([name]) => name).join(', ')}.`;
}
