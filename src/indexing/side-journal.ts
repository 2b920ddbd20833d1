import { type FeedJournal, NO_JOURNAL, type Unfinished } from '../plan/feed-journal.ts';
import type { WriteEffect } from '../plan/write-effect.ts';

interface NotedWrite {
  readonly effect: WriteEffect;
  /** What the journal forgets it by; undefined while it is in memory alone. */
  note: number | undefined;
}

/**
 * The notes of one of two feeds over one journal. They are in the journal while the next process would find that feed's
 * index, and only in memory while it would not.
 */
export class SideJournal implements FeedJournal {
  readonly id: string | undefined;
  readonly unfinished: Unfinished;
  #journal: FeedJournal | undefined;
  #epoch: number | undefined;
  readonly #runs = new Set<string>();
  readonly #experiments = new Set<string>();
  readonly #copiedTo: Map<string, bigint>;
  readonly #writes = new Map<number, NotedWrite>();
  /** Below zero, so that no id is one of an earlier process's write. */
  #lastWrite = 0;

  /** Without a journal, in memory. */
  constructor(journal?: FeedJournal) {
    this.#journal = journal;
    this.id = journal?.id;
    this.unfinished = (journal ?? NO_JOURNAL).unfinished;
    this.#epoch = this.unfinished.epoch;
    this.#copiedTo = new Map(this.unfinished.copiedTo);
  }

  begin(epoch: number): void {
    if (epoch !== this.#epoch) {
      this.#experiments.clear();
      this.#copiedTo.clear();
    }
    this.#epoch = epoch;
    this.#journal?.begin(epoch);
  }

  end(): void {
    this.#epoch = undefined;
    this.#journal?.end();
  }

  noteRun(runId: string): void {
    this.#runs.add(runId);
    this.#journal?.noteRun(runId);
  }

  forgetRun(runId: string): void {
    this.#runs.delete(runId);
    this.#journal?.forgetRun(runId);
  }

  noteExperiment(experimentId: string): void {
    this.#experiments.add(experimentId);
    this.#journal?.noteExperiment(experimentId);
  }

  forgetExperiment(experimentId: string): void {
    this.#experiments.delete(experimentId);
    this.#journal?.forgetExperiment(experimentId);
  }

  noteCopiedTo(experimentId: string, startTime: bigint): void {
    this.#copiedTo.set(experimentId, startTime);
    this.#journal?.noteCopiedTo(experimentId, startTime);
  }

  forgetCopiedTo(experimentId: string): void {
    this.#copiedTo.delete(experimentId);
    this.#journal?.forgetCopiedTo(experimentId);
  }

  /** It is said of the index that is served, by the ledger that is shared for it. */
  noteCompany(others: boolean): void {
    this.#journal?.noteCompany(others);
  }

  noteWrite(effect: WriteEffect): number {
    const id = --this.#lastWrite;
    this.#writes.set(id, { effect, note: this.#journal?.noteWrite(effect) });
    return id;
  }

  forgetWrite(id: number): void {
    const note = id < 0 ? this.#writes.get(id)?.note : id;
    this.#writes.delete(id);
    if (note !== undefined) this.#journal?.forgetWrite(note);
  }

  /**
   * From now on the journal holds these notes instead of the other's. Until their epoch begins there, the journal is one
   * of an index that the next process does not find, which it copies anew; so nothing may be missing once it has begun.
   */
  succeed(other: SideJournal): void {
    const journal = other.#journal;
    other.#journal = undefined;
    this.#journal = journal;
    if (!journal) return;
    for (const runId of this.#runs) journal.noteRun(runId);
    for (const id of this.#experiments) journal.noteExperiment(id);
    for (const id of other.#copiedTo.keys()) journal.forgetCopiedTo(id);
    for (const [id, startTime] of this.#copiedTo) journal.noteCopiedTo(id, startTime);
    for (const write of this.#writes.values()) write.note = journal.noteWrite(write.effect);
    if (this.#epoch === undefined) journal.end();
    else journal.begin(this.#epoch, true);
    for (const runId of other.#runs) if (!this.#runs.has(runId)) journal.forgetRun(runId);
    for (const id of other.#experiments) if (!this.#experiments.has(id)) journal.forgetExperiment(id);
    for (const { note } of other.#writes.values()) if (note !== undefined) journal.forgetWrite(note);
  }

  /** The journal itself is closed by who opened it. */
  close(): void {}
}
