import type { RunReader } from '../plan/run-reader.ts';
import type { RunsIndex } from '../plan/runs-index.ts';
import { backfill } from './backfill.ts';
import { BackfillQueue } from './backfill-queue.ts';
import { type Output, progressLine } from './progress-line.ts';

export interface BackfillCommandOptions {
  readonly index: RunsIndex;
  readonly reader: RunReader;
  readonly output: Output;
  readonly signal: AbortSignal;
  /** Absent: all. */
  readonly experimentIds?: readonly string[];
  readonly maxRunsPerSecond?: number | undefined;
}

/**
 * Copies runs to the index beside a running gateway, and tells how far it is.
 * @returns the exit code: 0 when every experiment can be answered from the index, 1 otherwise.
 * @throws the signal's reason when it aborts, and what index and backend throw before the copying begins.
 */
export async function backfillCommand(options: BackfillCommandOptions): Promise<number> {
  const { index, reader, output, signal } = options;
  const say = (line: string) => output.write(`${line}\n`);
  await index.prepare();
  const epoch = await index.epoch();
  if (epoch === 0) {
    say('No gateway has used this index yet. Start one: it fills the index by itself, and only it can answer from it.');
    return 1;
  }
  const queue = new BackfillQueue();
  queue.add(options.experimentIds ?? (await reader.experimentIds(signal)));
  const failed = new Map<string, unknown>();
  const excluded: string[] = [];
  const line = progressLine(output);
  await backfill(
    { index, reader },
    {
      queue,
      epoch,
      signal,
      maxRunsPerSecond: options.maxRunsPerSecond,
      onProgress: line.show,
      onRecorded: (id, coverage) => coverage === 'excluded' && excluded.push(id),
      onGivenUp: (id, error) => failed.set(id, error),
    },
  );
  line.end();
  for (const [id, error] of failed) say(`Experiment ${id} could not be copied: ${String(error)}`);
  for (const id of excluded) say(`Experiment ${id} has a run that the index cannot hold; the backend answers for it.`);
  if ((await index.epoch()) === epoch) return failed.size > 0 || excluded.length > 0 ? 1 : 0;
  say('A gateway began anew meanwhile: what was copied before does not count for it. It copies everything itself.');
  return 1;
}
