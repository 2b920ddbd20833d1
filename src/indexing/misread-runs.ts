import { decodeRun } from '../domain/run-text.ts';
import type { RunReader } from '../plan/run-reader.ts';
import type { RejectedRun } from '../plan/runs-index.ts';

/**
 * Runs whose text does not say all that searches go by, so that no index can hold them: those that ended at 0, which
 * read as if they had not ended. The backend is asked only when some run has no end.
 */
export async function misreadRuns(
  reader: RunReader,
  experimentId: string,
  texts: readonly string[],
  signal: AbortSignal,
): Promise<RejectedRun[]> {
  if (texts.every(hasEnd)) return [];
  const ids = texts.map((text) => decodeRun(text).runId);
  const ended = await reader.runsEndedAtZero(experimentId, ids, signal);
  return ended.map((runId) => ({ runId, experimentId, reason: 'It ended at 0, which its JSON does not tell.' }));
}

/**
 * Whether a run that is over does not say when it ended. One that goes on and yet has an end, of 0, is found where that is
 * written: `writeEffectOf` has its whole experiment copied again.
 */
export function isEndUnsaid(text: string): boolean {
  return !hasEnd(text) && !/^(RUNNING|SCHEDULED)$/.test(decodeRun(text).status ?? '');
}

/** Whether the JSON of a run says when it ended. Within a string the quotes would be escaped. */
export const hasEnd = (text: string) => text.includes('"end_time":');
