import type { Progress } from './backfill-progress.ts';

/** Where progress goes: a line rewritten in place on a terminal, plain lines elsewhere. */
export type Output = NodeJS.WritableStream & { readonly isTTY?: boolean };

const TERMINAL_LINE_MS = 200;
const PLAIN_LINE_MS = 5_000;

/** Tells how far a job is. */
export function progressLine(output: Output): { show(progress: Progress): void; end(): void } {
  let shownAt = performance.now();
  let last: Progress | undefined;
  const write = (progress: Progress) =>
    output.write(output.isTTY ? `\r\x1b[K${describe(progress)}` : `${describe(progress)}\n`);
  return {
    show(progress) {
      last = progress;
      if (performance.now() - shownAt < (output.isTTY ? TERMINAL_LINE_MS : PLAIN_LINE_MS)) return;
      shownAt = performance.now();
      write(progress);
    },
    end() {
      if (last) write(last);
      if (output.isTTY) output.write('\n');
    },
  };
}

function describe({ experimentsDone, experiments, runs, runsPerSecond, etaMs }: Progress): string {
  const left = etaMs === undefined || experimentsDone === experiments ? '' : `, ${inWords(etaMs)} left`;
  return `${experimentsDone} of ${experiments} experiments, ${runs} runs (${runsPerSecond}/s)${left}`;
}

function inWords(ms: number): string {
  const seconds = Math.ceil(ms / 1_000);
  if (seconds < 90) return `${seconds} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 90 ? `${minutes} min` : `${Math.round(minutes / 60)} h`;
}
