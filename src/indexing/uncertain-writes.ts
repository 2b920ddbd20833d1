import type { FeedJournal } from '../plan/feed-journal.ts';
import type { RunDirectory } from '../plan/run-directory.ts';
import type { WriteEffect } from '../plan/write-effect.ts';

export interface UncertainWriteOptions {
  readonly directory: RunDirectory;
  readonly journal: FeedJournal;
  /** When, in ms after it was noted, an uncertain write is taken to have happened now; the last time for good. */
  readonly delaysMs: readonly number[];
  repeat(effect: WriteEffect): void;
}

interface OpenWrite {
  readonly effect: WriteEffect;
  readonly note: number;
  readonly runIds: Set<string>;
  readonly timers: NodeJS.Timeout[];
}

/** Writes whose answer never came: the backend may carry them out at any moment for a while. */
export class UncertainWrites {
  readonly #options: UncertainWriteOptions;
  readonly #open = new Set<OpenWrite>();

  constructor(options: UncertainWriteOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#open.size;
  }

  note(effect: WriteEffect): void {
    const note = this.#options.journal.noteWrite(effect);
    const write: OpenWrite = { effect, note, runIds: new Set(effect.runs.map(({ runId }) => runId)), timers: [] };
    const last = this.#options.delaysMs.length - 1;
    for (const [i, delayMs] of this.#options.delaysMs.entries()) {
      const turn = () => this.#turn(write, i === last);
      write.timers.push(setTimeout(turn, delayMs).unref());
    }
    this.#open.add(write);
  }

  /** Runs are cheap to read again; whole experiments only at the end. */
  #turn(write: OpenWrite, last: boolean): void {
    const runs = write.effect.runs.filter(({ runId }) => write.runIds.has(runId));
    if (last) this.#open.delete(write);
    const again = { ...write.effect, runs, createdExperiments: [], uncertain: false };
    this.#options.repeat(last ? again : { ...again, unknown: false, experimentsWithChangedRuns: [] });
    if (last) this.#options.journal.forgetWrite(write.note);
  }

  /** There is no such run, and no write makes one of that id. */
  forgetRun(runId: string): void {
    for (const { runIds } of this.#open) runIds.delete(runId);
  }

  /** Whether an open write may change runs of these experiments. */
  blocks(experimentIds: ReadonlySet<string>): boolean {
    for (const { effect, runIds } of this.#open) {
      if (effect.unknown || effect.experimentsWithChangedRuns.some((id) => experimentIds.has(id))) return true;
      for (const runId of runIds) {
        const experimentId = this.#options.directory.experimentOf(runId);
        if (experimentId === undefined || experimentIds.has(experimentId)) return true;
      }
    }
    return false;
  }

  close(): void {
    for (const { timers } of this.#open) for (const timer of timers) clearTimeout(timer);
    this.#open.clear();
  }
}
