import type { FeedJournal } from '../plan/feed-journal.ts';
import type { RunDirectory } from '../plan/run-directory.ts';
import { backOff } from './back-off.ts';

/** A run to be read again, on its way to the index. */
export interface TakenRun {
  readonly runId: string;
  /** Attempts that failed so far. */
  readonly failures: number;
}

/** Until it is copied, a run keeps its whole experiment from the index; and trying costs one small question. */
const MAX_WAIT_MS = 4_000;

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
  readonly #retryMs: number;
  /** The longest dirty first. */
  readonly #runs = new Map<string, DirtyRun>();
  #lastMark = 0;

  constructor(directory: RunDirectory, journal: FeedJournal, retryMs: number) {
    this.#directory = directory;
    this.#journal = journal;
    this.#retryMs = retryMs;
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

  /** How long until a run may be taken, in ms; undefined when none waits. */
  get nextTurnMs(): number | undefined {
    let next: number | undefined;
    for (const { taken, notBefore } of this.#runs.values())
      if (!taken && (next === undefined || notBefore < next)) next = notBefore;
    return next === undefined ? undefined : Math.max(0, next - performance.now());
  }

  has(runId: string): boolean {
    return this.#runs.has(runId);
  }

  mark(runId: string): void {
    const mark = ++this.#lastMark;
    const run = this.#runs.get(runId);
    if (run?.taken) run.again ??= mark;
    if (run) return;
    this.#add(runId, mark);
    this.#journal.noteRun(runId);
  }

  #add(runId: string, pending: number): void {
    this.#runs.set(runId, { pending, since: performance.now(), taken: false, failures: 0, notBefore: 0 });
  }

  /** Runs whose turn it is, those of `urgent` experiments first. Each must come back by `settle` or `giveBack`. */
  take(limit: number, urgent: ReadonlySet<string>): readonly TakenRun[] {
    const now = performance.now();
    const waiting = [...this.#runs].filter(([, { taken, notBefore }]) => !taken && notBefore <= now);
    const first = waiting.filter(([runId]) => this.#mayBelong(runId, urgent));
    const inTurn = [...new Map([...first, ...waiting])].slice(0, limit);
    return inTurn.map(([runId, run]) => {
      run.taken = true;
      return { runId, failures: run.failures };
    });
  }

  /** A reading begun after the take is in the index, or there is no such run. */
  settle(runId: string): void {
    const again = this.#runs.get(runId)?.again;
    this.#runs.delete(runId);
    if (again === undefined) this.#journal.forgetRun(runId);
    else this.#add(runId, again);
  }

  /** The run could not be copied: it waits for another turn. */
  giveBack(runId: string): void {
    const run = this.#runs.get(runId);
    if (!run) return;
    run.taken = false;
    delete run.again;
    run.failures++;
    run.notBefore = performance.now() + backOff(run.failures, this.#retryMs, MAX_WAIT_MS);
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
