import { randomUUID } from 'node:crypto';
import type { FeedJournal } from '../plan/feed-journal.ts';
import type { FeedLedger } from '../plan/feed-ledger.ts';
import type { RunDirectory } from '../plan/run-directory.ts';
import type { WriteEffect } from '../plan/write-effect.ts';

export interface UncertainWriteOptions {
  readonly directory: RunDirectory;
  readonly journal: FeedJournal;
  readonly ledger: FeedLedger;
  /** When, in ms after it was noted, an uncertain write is taken to have happened now; the last time for good. */
  readonly delaysMs: readonly number[];
  repeat(effect: WriteEffect): Promise<void>;
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
  readonly #open = new Map<string, OpenWrite>();
  /** Those of other gateways. */
  readonly #heard = new Map<string, Pick<OpenWrite, 'effect' | 'runIds'>>();

  constructor(options: UncertainWriteOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#open.size + this.#heard.size;
  }

  /** What this gateway has open, by names that no other gives. */
  get own(): ReadonlyMap<string, WriteEffect> {
    return new Map([...this.#open].map(([name, { effect }]) => [name, effect]));
  }

  /** @returns its name */
  note(effect: WriteEffect): string {
    const name = randomUUID();
    const note = this.#options.journal.noteWrite(effect);
    const write: OpenWrite = { effect, note, runIds: runIdsOf(effect), timers: [] };
    const last = this.#options.delaysMs.length - 1;
    for (const [i, delayMs] of this.#options.delaysMs.entries()) {
      const turn = () => void this.#turn(name, write, i === last);
      write.timers.push(setTimeout(turn, delayMs).unref());
    }
    this.#open.set(name, write);
    return name;
  }

  hear(name: string, effect: WriteEffect): void {
    this.#heard.set(name, { effect, runIds: runIdsOf(effect) });
  }

  hearEnd(name: string): void {
    this.#heard.delete(name);
  }

  forgetHeard(): void {
    this.#heard.clear();
  }

  /** Runs are cheap to read again; whole experiments only at the end. */
  async #turn(name: string, write: OpenWrite, last: boolean): Promise<void> {
    const runs = write.effect.runs.filter(({ runId }) => write.runIds.has(runId));
    if (last) this.#open.delete(name);
    const again = { ...write.effect, runs, createdExperiments: [], uncertain: false };
    const told = this.#options.repeat(last ? again : { ...again, unknown: false, experimentsWithChangedRuns: [] });
    if (!last) return;
    this.#options.journal.forgetWrite(write.note);
    await told;
    await this.#options.ledger.makeCertain(name);
  }

  /** There is no such run, and no write makes one of that id. */
  forgetRun(runId: string): void {
    for (const { runIds } of this.#open.values()) runIds.delete(runId);
  }

  /** Whether an open write may change runs of these experiments. */
  blocks(experimentIds: ReadonlySet<string>): boolean {
    if (this.size === 0) return false;
    for (const { effect, runIds } of [...this.#open.values(), ...this.#heard.values()]) {
      if (effect.unknown || effect.experimentsWithChangedRuns.some((id) => experimentIds.has(id))) return true;
      for (const runId of runIds) {
        const experimentId = this.#options.directory.experimentOf(runId);
        if (experimentId === undefined || experimentIds.has(experimentId)) return true;
      }
    }
    return false;
  }

  close(): void {
    for (const { timers } of this.#open.values()) for (const timer of timers) clearTimeout(timer);
    this.#open.clear();
  }
}

const runIdsOf = (effect: WriteEffect) => new Set(effect.runs.map(({ runId }) => runId));
