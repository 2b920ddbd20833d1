import { unlessAborted } from '../faults/unless-aborted.ts';
import type { FeedLedger } from '../plan/feed-ledger.ts';
import type { DirtyRuns } from './dirty-runs.ts';
import type { ExperimentCoverage } from './experiment-coverage.ts';
import type { FlushWorker } from './flush-worker.ts';
import { Pauses } from './pauses.ts';
import type { Refresher } from './refresher.ts';
import type { UncertainWrites } from './uncertain-writes.ts';

export interface ReadinessOptions {
  readonly ledger: FeedLedger;
  readonly dirty: DirtyRuns;
  readonly worker: FlushWorker;
  readonly refresher: Refresher;
  readonly uncertain: UncertainWrites;
  readonly coverage: ExperimentCoverage;
  /** How long a search waits for its experiments to be brought up to date, in ms. */
  readonly readyMs: number;
  /** How long an experiment is left to the backend after that failed, in ms, at first. */
  readonly retryMs: number;
  onFailure(error: unknown): void;
}

/** Whether the index may answer for some experiments; brings them up to date where that is all it lacks. */
export class Readiness {
  readonly #options: ReadinessOptions;
  readonly #pauses: Pauses;

  constructor(options: ReadinessOptions) {
    this.#options = options;
    this.#pauses = new Pauses(options.retryMs);
  }

  /** Whether the index has, and shows, every write to these experiments that was acknowledged before. Never rejects. */
  async ready(ids: ReadonlySet<string>, signal: AbortSignal): Promise<boolean> {
    const { ledger, dirty, uncertain, coverage, readyMs, onFailure } = this.#options;
    if (!(await ledger.catchUp())) return false;
    const upTo = dirty.lastMark;
    if (uncertain.blocks(ids) || coverage.isComplete(ids) === false) return false;
    if (this.#isReady(ids, upTo)) return true;
    if (this.#pauses.holds(ids)) return false;
    try {
      const deadline = AbortSignal.any([signal, AbortSignal.timeout(readyMs)]);
      const ready = await unlessAborted(this.#makeReady(ids, upTo, deadline), deadline);
      this.#pauses.remove(ids);
      return ready;
    } catch (error) {
      if (!signal.aborted) {
        this.#pauses.add(ids);
        onFailure(error);
      }
      return false;
    }
  }

  /** How old the index may be for these experiments, in ms; undefined when it may not answer for them at all. */
  lagMs(ids: ReadonlySet<string>): number | undefined {
    const { ledger, dirty, uncertain, coverage, refresher, onFailure } = this.#options;
    const { newsAgeMs } = ledger;
    if (newsAgeMs === undefined || uncertain.blocks(ids)) return undefined;
    if (coverage.isComplete(ids) !== true) return undefined;
    if (!refresher.isVisible(ids)) void refresher.show(ids).catch(onFailure);
    return Math.max(Math.ceil(newsAgeMs), dirty.ageMs(ids), refresher.unseenMs(ids));
  }

  #isReady(ids: ReadonlySet<string>, upTo: number): boolean {
    const { dirty, coverage, refresher } = this.#options;
    return coverage.isComplete(ids) === true && dirty.blocks(ids, upTo) === 'no' && refresher.isVisible(ids);
  }

  async #makeReady(ids: ReadonlySet<string>, upTo: number, deadline: AbortSignal): Promise<boolean> {
    const { uncertain, coverage, refresher } = this.#options;
    if (!(await coverage.check(ids))) return false;
    if (!(await this.#flush(ids, upTo, deadline))) return false;
    await refresher.show(ids);
    // Meanwhile a run may have turned out to be more than the index can hold.
    return coverage.wasComplete(ids) && !uncertain.blocks(ids);
  }

  async #flush(ids: ReadonlySet<string>, upTo: number, deadline: AbortSignal): Promise<boolean> {
    const { ledger, dirty, worker } = this.#options;
    let blocked = dirty.blocks(ids, upTo);
    if (blocked === 'no') return true;
    for (; blocked !== 'no'; blocked = dirty.blocks(ids, upTo)) {
      deadline.throwIfAborted();
      if (blocked === 'failing') return false;
      await worker.hurry(ids);
    }
    // Another gateway may have found that the index cannot hold one of these runs.
    return ledger.catchUp();
  }
}
