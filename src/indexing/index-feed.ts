import { setTimeout as sleep } from 'node:timers/promises';
import { unlessAborted } from '../faults/unless-aborted.ts';
import type { Feed } from '../plan/feed.ts';
import { type FeedJournal, NO_JOURNAL } from '../plan/feed-journal.ts';
import type { FeedLedger, LedgerStatus } from '../plan/feed-ledger.ts';
import type { RunDirectory } from '../plan/run-directory.ts';
import type { RunReader } from '../plan/run-reader.ts';
import type { RejectedRun, RunsIndex } from '../plan/runs-index.ts';
import type { WriteEffect } from '../plan/write-effect.ts';
import { DirtyRuns } from './dirty-runs.ts';
import { FeedMember } from './feed-member.ts';
import { FlushWorker } from './flush-worker.ts';
import { IndexKeeper, type KeeperStatus } from './index-keeper.ts';
import { OwnLedger } from './own-ledger.ts';
import { Readiness } from './readiness.ts';
import { type ReconcileOptions, Reconciler, type ReconcileStatus } from './reconciler.ts';
import { Refresher } from './refresher.ts';
import { UncertainWrites } from './uncertain-writes.ts';
import { WritesUnderWay } from './writes-under-way.ts';

export interface IndexFeedPorts {
  readonly index: RunsIndex;
  readonly reader: RunReader;
  readonly directory: RunDirectory;
  /** By default nothing outlives the process. */
  readonly journal?: FeedJournal;
  /** By default this gateway keeps the index alone. */
  readonly ledger?: FeedLedger;
}

export interface IndexFeedOptions {
  /** How long a search waits for its experiments to be brought up to date, in ms. */
  readonly readyMs?: number;
  /** How long dirty runs gather before they are copied unasked, in ms. */
  readonly coalesceMs?: number;
  /** First wait after a failure, in ms; it doubles up to half a minute. */
  readonly retryMs?: number;
  /** How long the index's word that an experiment is complete is taken without asking again, in ms. */
  readonly trustMs?: number;
  /** How long the backend may still carry out a write whose answer never came, in ms. */
  readonly uncertainMs?: number;
  readonly maxRunsPerSecond?: number | undefined;
  /** How many runs may wait to be copied one by one; of those that come after, the whole experiments are copied anew. */
  readonly maxDirtyRuns?: number;
  /** How writes past the gateway are looked for; by default they are not. */
  readonly reconcile?: ReconcileOptions | undefined;
  /** Told of runs that the index cannot hold, each time that they are copied. */
  onRejected?(runs: readonly RejectedRun[]): void;
  /** Told of every failure; the feed goes on by itself. */
  onFailure?(error: unknown): void;
}

export interface FeedStatus extends KeeperStatus {
  readonly dirtyRuns: number;
  readonly oldestDirtyAgeMs: number;
  readonly uncertainWrites: number;
  readonly reconcile: ReconcileStatus | undefined;
  /** Undefined when this gateway keeps the index alone. */
  readonly ledger: LedgerStatus | undefined;
  readonly lastFailure: { readonly at: string; readonly message: string } | undefined;
}

/** A run that is written to all the time is copied in every so many rounds. */
const ROUNDS_A_RUN = 10;
/** Each round looks through all that wait. */
const MAX_DIRTY_RUNS = 20_000;
/** When a write without an answer is taken to have happened; the last time for good. */
const UNCERTAIN_TURNS = [1 / 60, 1 / 12, 1 / 3, 1];

/**
 * Keeps an index equal to its backend: notes every write, copies what was written to, and answers whether the index may
 * be asked. Why it is never wrong: `docs/decisions/004-feed.md`.
 */
export class IndexFeed implements Feed {
  readonly #directory: RunDirectory;
  readonly #journal: FeedJournal;
  readonly #ledger: FeedLedger;
  readonly #dirty: DirtyRuns;
  readonly #refresher: Refresher;
  readonly #worker: FlushWorker;
  readonly #uncertain: UncertainWrites;
  readonly #keeper: IndexKeeper;
  readonly #member: FeedMember;
  readonly #reconciler: Reconciler | undefined;
  readonly #readiness: Readiness;
  readonly #underWay = new WritesUnderWay();
  #lastFailure: FeedStatus['lastFailure'];

  constructor(ports: IndexFeedPorts, options: IndexFeedOptions = {}) {
    const { index, reader, directory, journal = NO_JOURNAL } = ports;
    const { ledger = new OwnLedger(journal.unfinished.epoch) } = ports;
    const { readyMs = 2_000, coalesceMs = 200, retryMs = 1_000, trustMs = 5_000, maxRunsPerSecond } = options;
    const { maxDirtyRuns: maxRuns = MAX_DIRTY_RUNS } = options;
    const onFailure = (error: unknown) => {
      this.#lastFailure = { at: new Date().toISOString(), message: String(error) };
      options.onFailure?.(error);
    };
    this.#directory = directory;
    this.#journal = journal;
    this.#ledger = ledger;
    this.#dirty = new DirtyRuns(directory, journal, { retryMs, againMs: ROUNDS_A_RUN * coalesceMs, maxRuns });
    this.#refresher = new Refresher(index);
    this.#keeper = new IndexKeeper({
      index,
      reader,
      directory,
      journal,
      ledger,
      trustMs,
      retryMs,
      maxRunsPerSecond,
      onFailure,
      onRejected: (runs) => options.onRejected?.(runs),
      onCopied: async (kept) => this.#reconciler?.run(kept),
    });
    this.#worker = new FlushWorker(
      { index, reader, directory, ledger, dirty: this.#dirty, refresher: this.#refresher },
      {
        onRejected: async (runs) => {
          options.onRejected?.(runs);
          await this.#keeper.exclude(runs.map(({ experimentId }) => experimentId));
        },
        onUnknownRun: (runId) => this.#uncertain.forgetRun(runId),
        onFailure,
      },
      coalesceMs,
    );
    this.#uncertain = new UncertainWrites({
      directory,
      journal,
      ledger,
      delaysMs: UNCERTAIN_TURNS.map((share) => share * (options.uncertainMs ?? 60_000)),
      repeat: (effect) => this.apply(effect),
    });
    this.#member = new FeedMember({
      directory,
      dirty: this.#dirty,
      worker: this.#worker,
      keeper: this.#keeper,
      uncertain: this.#uncertain,
      refresher: this.#refresher,
      apply: (effect) => this.apply(effect),
    });
    this.#readiness = new Readiness({
      ledger,
      dirty: this.#dirty,
      worker: this.#worker,
      refresher: this.#refresher,
      uncertain: this.#uncertain,
      coverage: this.#keeper.coverage,
      readyMs,
      retryMs,
      onFailure,
    });
    this.#reconciler =
      options.reconcile &&
      new Reconciler(
        {
          index,
          reader,
          directory,
          keeper: this.#keeper,
          refresher: this.#refresher,
          isBusy: (runId, experimentId) => this.#isBusy(runId, experimentId),
        },
        {
          ...options.reconcile,
          maxRunsPerSecond,
          retryMs,
          onFailure,
          onRepaired: async (effect) => {
            const written = effect.runs.flatMap(({ experimentId = [] }) => experimentId);
            // Other gateways have to refresh before they answer; one that is cut off does so when it is back.
            await ledger.settle([], [...new Set(written)]).catch(() => undefined);
            await options.reconcile?.onRepaired?.(effect);
          },
        },
      );
    this.#takeUp(journal);
  }

  /** What an earlier process left unfinished. */
  #takeUp(journal: FeedJournal): void {
    const { runs, experiments, writes } = journal.unfinished;
    for (const runId of runs) this.#dirty.mark(runId);
    for (const id of experiments) this.#keeper.coverage.doubt(id);
    for (const { id, effect } of writes) {
      void this.apply({ ...effect, uncertain: true });
      journal.forgetWrite(id);
    }
  }

  /** Begins an epoch and the backfill, in the background: the index need not be there yet. */
  start(): void {
    this.#ledger.join(this.#member);
    this.#keeper.start();
    if (this.#dirty.size > 0) this.#worker.wake();
  }

  /** Whether other gateways rely on this one's word: before, they must not be kept from knowing of its writes. */
  get joined(): boolean {
    return this.#ledger.joined;
  }

  expect(effect: WriteEffect): () => void {
    const id = this.#journal.noteWrite(effect);
    const ended = this.#underWay.begin(effect);
    return () => {
      ended();
      this.#journal.forgetWrite(id);
    };
  }

  /** Whether a write that passed the gateway may have changed this run and is not in the index yet. */
  #isBusy(runId: string, experimentId: string): boolean {
    if (this.#dirty.has(runId) || this.#keeper.coverage.isDoubted(experimentId)) return true;
    return this.#underWay.mayChange(runId, experimentId) || this.#uncertain.blocks(new Set([experimentId]));
  }

  async apply(effect: WriteEffect): Promise<void> {
    const { runs, createdExperiments, experimentsWithChangedRuns, unknown, uncertain } = effect;
    const name = uncertain ? this.#uncertain.note(effect) : undefined;
    const told: Promise<void>[] = [];
    if (unknown) told.push(this.#keeper.doubtAll());
    if (experimentsWithChangedRuns.length > 0) told.push(this.#keeper.doubt(experimentsWithChangedRuns, !uncertain));
    if (createdExperiments.length > 0) void this.#keeper.welcome(createdExperiments);
    const tooMany: string[] = [];
    for (const { runId, experimentId } of runs) {
      if (experimentId !== undefined) this.#directory.learn(runId, experimentId);
      if (this.#dirty.takes(runId)) this.#dirty.mark(runId);
      else tooMany.push(runId);
    }
    if (tooMany.length > 0) told.push(this.#doubtExperimentsOf(tooMany));
    told.push(
      this.#ledger.note({
        runs: runs.filter(({ runId }) => this.#dirty.has(runId)).map(({ runId }) => this.#member.noteOf(runId)),
        created: createdExperiments,
        uncertain: new Map(name === undefined ? [] : [[name, effect]]),
      }),
    );
    if (runs.length > 0) this.#worker.wake();
    await Promise.all(told);
  }

  #doubtExperimentsOf(runIds: readonly string[]): Promise<void> {
    const ids = new Set(runIds.map((runId) => this.#directory.experimentOf(runId)));
    const known = [...ids].filter((id) => id !== undefined);
    return known.length < ids.size ? this.#keeper.doubtAll() : this.#keeper.doubt(known, true);
  }

  /** Those whose answer never came and that the backend may still carry out. */
  get uncertainWrites(): readonly WriteEffect[] {
    return [...this.#uncertain.own.values()];
  }

  ready(experimentIds: readonly string[], signal: AbortSignal): Promise<boolean> {
    return this.#readiness.ready(new Set(experimentIds), signal);
  }

  lagMs(experimentIds: readonly string[]): number | undefined {
    return this.#readiness.lagMs(new Set(experimentIds));
  }

  /** Copies what is dirty, as far as time allows, and ends. What is left is void with the next epoch. */
  async stop(withinMs = 5_000): Promise<void> {
    const deadline = AbortSignal.timeout(withinMs);
    this.#uncertain.close();
    const ended = unlessAborted(Promise.all([this.#keeper.stop(), this.#drain(deadline)]), deadline);
    await ended.catch(() => undefined);
    this.#worker.stop();
    await this.#ledger.close();
  }

  async #drain(deadline: AbortSignal): Promise<void> {
    while (this.#dirty.own.length > 0) {
      await sleep(this.#dirty.nextTurnMs(new Set()) ?? 0, undefined, { signal: deadline });
      await this.#worker.hurry([]);
    }
  }

  status(): FeedStatus {
    return {
      ...this.#keeper.status,
      dirtyRuns: this.#dirty.size,
      oldestDirtyAgeMs: this.#dirty.oldestAgeMs,
      uncertainWrites: this.#uncertain.size,
      reconcile: this.#reconciler?.status,
      ledger: this.#ledger.status(),
      lastFailure: this.#lastFailure,
    };
  }
}
