import type { RunReader } from '../plan/run-reader.ts';
import type { RunsIndex } from '../plan/runs-index.ts';
import { backfill } from './backfill.ts';
import type { Progress } from './backfill-progress.ts';
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
  /** Told at the end. */
  onReport?(report: BackfillReport): void;
}

export interface BackfillReport {
  /** Absent when no gateway has used the index yet: then nothing was copied. */
  readonly epoch: number | undefined;
  readonly experiments: number;
  readonly runs: number;
  /** Experiments that have a run which the index cannot hold. */
  readonly excluded: readonly string[];
  /** Experiments that could not be copied, and why. */
  readonly failed: Readonly<Record<string, string>>;
  /** Whether a gateway began anew meanwhile, for which this copy does not count. */
  readonly superseded: boolean;
}

/**
 * Copies runs to the index beside a running gateway, and tells how far it is.
 * @returns the exit code: 0 when every experiment can be answered from the index, 1 otherwise.
 * @throws the signal's reason when it aborts, and what index and backend throw before the copying begins.
 */
export async function backfillCommand(options: BackfillCommandOptions): Promise<number> {
  const { index, reader, output, signal } = options;
  await index.prepare();
  const epoch = (await index.epoch()) || undefined;
  const failed: Record<string, string> = {};
  const excluded: string[] = [];
  const line = progressLine(output);
  let progress: Progress | undefined;
  if (epoch !== undefined) {
    const queue = new BackfillQueue();
    queue.add(options.experimentIds ?? (await reader.experimentIds(signal)));
    await backfill(
      { index, reader },
      {
        queue,
        epoch,
        signal,
        maxRunsPerSecond: options.maxRunsPerSecond,
        onProgress(now) {
          progress = now;
          line.show(now);
        },
        onRecorded: (id, coverage) => coverage === 'excluded' && excluded.push(id),
        onGivenUp(id, error) {
          failed[id] = String(error);
        },
      },
    );
    line.end();
  }
  const superseded = epoch !== undefined && (await index.epoch()) !== epoch;
  const { experiments = 0, runs = 0 } = progress ?? {};
  const report: BackfillReport = { epoch, experiments, runs, excluded, failed, superseded };
  for (const problem of problemsOf(report)) output.write(`${problem}\n`);
  options.onReport?.(report);
  return problemsOf(report).length > 0 ? 1 : 0;
}

function problemsOf({ epoch, excluded, failed, superseded }: BackfillReport): readonly string[] {
  if (epoch === undefined) return [NEVER_USED];
  return [
    ...Object.entries(failed).map(([id, error]) => `Experiment ${id} could not be copied: ${error}`),
    ...excluded.map((id) => `Experiment ${id} has a run that the index cannot hold; the backend answers for it.`),
    ...(superseded ? [BEGAN_ANEW] : []),
  ];
}

/** Said of an index in no epoch. */
export const NEVER_USED =
  'No gateway has used this index yet. Start one: it fills the index by itself, and only it can answer from it.';
const BEGAN_ANEW =
  'A gateway began anew meanwhile: what was copied before does not count for it. It copies everything itself.';
