import { LRUCache } from 'lru-cache';
import { backOff } from '../faults/back-off.ts';
import { Refusal } from '../faults/breaker.ts';
import { retryAfterOf } from '../faults/unavailable.ts';
import type { FeedJournal } from '../plan/feed-journal.ts';
import type { RunDirectory } from '../plan/run-directory.ts';

export interface DirtyRunOptions {
  /** First wait after a failure, in ms. */
  readonly retryMs: number;
  /**
   * How long a run that was just read is not read again, in ms, unless a search needs it: each reading costs the backend
   * about what a write does, so one that is written to all the time must not be read every time.
   */
  readonly againMs: number;
  /** How many may wait. */
  readonly maxRuns: number;
}

/** A run to be read again, on its way to the index. */
export interface TakenRun {
  readonly runId: string;
  /** Attempts that failed so far. */
  readonly failures: number;
}

/** How long a run that another gateway noted is left to that one, in ms, unless a search needs it sooner. */
const LEFT_TO_OTHERS_MS = 3_000;
/** Until it is asked again whether another gateway has copied a run, in ms. */
const OTHERS_COPY_MS = 5;
/** Until it is copied, a run keeps its whole experiment from the index; and trying costs one small question. */
const MAX_WAIT_MS = 4_000;

/** Runs of which it is known when they were read last. */
const MAX_RECENT = 10_000;

interface DirtyRun {
  /** The oldest mark that no finished reading covers. */
  readonly pending: number;
  readonly since: number;
  /** The oldest mark set since the run was taken: the reading under way may lack that write. */
  again?: number;
  taken: boolean;
  failures: number;
  /** Not to be taken before, in ms of `performance.now()`. */
  notBefore: number;
  /** Not to be taken before unless it is urgent. */
  leftUntil: number;
  /** Noted by this gateway. */
  own: boolean;
}

/** What stands between a search and an index that has every write: nothing, a flush, or a flush that keeps failing. */
export type Blocked = 'no' | 'pending' | 'failing';

/**
 * The runs that were written to since they were last copied. Each mark has a number; a run stays until a reading begun
 * after its last mark is in the index.
 */
export class DirtyRuns {
  readonly #directory: RunDirectory;
  readonly #journal: FeedJournal;
  readonly #options: DirtyRunOptions;
  /** When runs were read last, in ms of `performance.now()`. */
  readonly #readAt = new LRUCache<string, number>({ max: MAX_RECENT });
  /** The longest dirty first. */
  readonly #runs = new Map<string, DirtyRun>();
  #lastMark = 0;

  constructor(directory: RunDirectory, journal: FeedJournal, options: DirtyRunOptions) {
    this.#directory = directory;
    this.#journal = journal;
    this.#options = options;
  }

  get size(): number {
    return this.#runs.size;
  }

  /** Number of the newest mark. */
  get lastMark(): number {
    return this.#lastMark;
  }

  /** How long the oldest run has been dirty, in ms. */
  get oldestAgeMs(): number {
    const [oldest] = this.#runs.values();
    return oldest ? Math.round(performance.now() - oldest.since) : 0;
  }

  /** What this gateway noted. */
  get own(): readonly string[] {
    return [...this.#runs].filter(([, { own }]) => own).map(([runId]) => runId);
  }

  /** How long until a run may be taken, in ms, those of `urgent` experiments earlier; undefined when none waits. */
  nextTurnMs(urgent: ReadonlySet<string>): number | undefined {
    let next: number | undefined;
    for (const [runId, run] of this.#runs) {
      if (run.taken) continue;
      const turn = this.#turnOf(runId, run, urgent);
      if (next === undefined || turn < next) next = turn;
    }
    return next === undefined ? undefined : Math.max(0, next - performance.now());
  }

  #turnOf(runId: string, { notBefore, leftUntil }: DirtyRun, urgent: ReadonlySet<string>): number {
    const isLeft = leftUntil > notBefore && !(urgent.size > 0 && this.#mayBelong(runId, urgent));
    return isLeft ? leftUntil : notBefore;
  }

  has(runId: string): boolean {
    return this.#runs.has(runId);
  }

  /** Whether a run may be marked, or would be one too many to wait. */
  takes(runId: string): boolean {
    return this.#runs.size < this.#options.maxRuns || this.#runs.has(runId);
  }

  mark(runId: string): void {
    const run = this.#note(runId, 0);
    run.leftUntil = this.#restsUntil(runId);
    if (run.own) return;
    run.own = true;
    this.#journal.noteRun(runId);
  }

  /** Another gateway noted a write to this run. */
  hear(runId: string): void {
    this.#note(runId, performance.now() + LEFT_TO_OTHERS_MS);
  }

  #restsUntil(runId: string): number {
    return (this.#readAt.get(runId) ?? Number.NEGATIVE_INFINITY) + this.#options.againMs;
  }

  #note(runId: string, leftUntil: number): DirtyRun {
    const mark = ++this.#lastMark;
    const run = this.#runs.get(runId);
    if (run?.taken) run.again ??= mark;
    return run ?? this.#add(runId, mark, leftUntil, false);
  }

  #add(runId: string, pending: number, leftUntil: number, own: boolean): DirtyRun {
    const run = { pending, since: performance.now(), taken: false, failures: 0, notBefore: 0, leftUntil, own };
    this.#runs.set(runId, run);
    return run;
  }

  /** Runs whose turn it is, those of `urgent` experiments first. Each must come back by `settle` or `giveBack`. */
  take(limit: number, urgent: ReadonlySet<string>): readonly TakenRun[] {
    const now = performance.now();
    const waiting = [...this.#runs].filter(([runId, run]) => !run.taken && this.#turnOf(runId, run, urgent) <= now);
    const first = waiting.filter(([runId]) => this.#mayBelong(runId, urgent));
    const inTurn = [...new Map([...first, ...waiting])].slice(0, limit);
    return inTurn.map(([runId, run]) => {
      run.taken = true;
      this.#readAt.set(runId, now);
      return { runId, failures: run.failures };
    });
  }

  /** A reading begun after the take is in the index, or there is no such run. */
  settle(runId: string): void {
    const run = this.#runs.get(runId);
    this.#runs.delete(runId);
    if (run?.again !== undefined) this.#add(runId, run.again, run.leftUntil, run.own);
    else if (run?.own) this.#journal.forgetRun(runId);
  }

  /** Another gateway copies the run: soon it will have. */
  leave(runId: string): void {
    const run = this.#runs.get(runId);
    if (!run) return;
    run.taken = false;
    delete run.again;
    run.notBefore = performance.now() + OTHERS_COPY_MS;
  }

  /** The run could not be copied: it waits for another turn. That nothing was asked says nothing of the run. */
  giveBack(runId: string, error: unknown): void {
    const run = this.#runs.get(runId);
    if (!run) return;
    run.taken = false;
    delete run.again;
    const wasAsked = !(error instanceof Refusal);
    if (wasAsked || run.failures === 0) run.failures++;
    const waitMs = backOff(wasAsked ? run.failures : 1, this.#options.retryMs, MAX_WAIT_MS);
    run.notBefore = performance.now() + retryAfterOf(error) + waitMs;
  }

  /** Whether writes up to this mark still wait that belong to these experiments, or may: until the run is known, to any. */
  blocks(experimentIds: ReadonlySet<string>, upTo: number): Blocked {
    let blocked: Blocked = 'no';
    for (const [runId, { pending, failures }] of this.#runs) {
      if (pending > upTo || !this.#mayBelong(runId, experimentIds)) continue;
      if (failures > 0) return 'failing';
      blocked = 'pending';
    }
    return blocked;
  }

  /** How long the oldest unfinished write to these experiments has waited, in ms; 0 when there is none. */
  ageMs(experimentIds: ReadonlySet<string>): number {
    for (const [runId, { since }] of this.#runs)
      if (this.#mayBelong(runId, experimentIds)) return Math.ceil(performance.now() - since);
    return 0;
  }

  #mayBelong(runId: string, experimentIds: ReadonlySet<string>): boolean {
    const experimentId = this.#directory.experimentOf(runId);
    return experimentId === undefined || experimentIds.has(experimentId);
  }
}
