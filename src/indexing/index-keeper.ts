import { setTimeout as sleep } from 'node:timers/promises';
import type { Run } from '../domain/run.ts';
import { backOff } from '../faults/back-off.ts';
import type { FeedJournal } from '../plan/feed-journal.ts';
import type { FeedLedger, News } from '../plan/feed-ledger.ts';
import type { RunDirectory } from '../plan/run-directory.ts';
import type { RunReader } from '../plan/run-reader.ts';
import type { RejectedRun, RunsIndex } from '../plan/runs-index.ts';
import { persist } from './back-off.ts';
import { backfill } from './backfill.ts';
import type { Progress } from './backfill-progress.ts';
import { BackfillQueue } from './backfill-queue.ts';
import { ExperimentCoverage } from './experiment-coverage.ts';
import { LEDGER_POLL_MS, takeEpoch } from './take-epoch.ts';

export interface IndexKeeperOptions {
  readonly index: RunsIndex;
  readonly reader: RunReader;
  readonly directory: RunDirectory;
  readonly journal: FeedJournal;
  readonly ledger: FeedLedger;
  readonly trustMs: number;
  /** First wait after a failure, and before everything is copied anew, in ms. */
  readonly retryMs: number;
  readonly maxRunsPerSecond?: number | undefined;
  onFailure(error: unknown): void;
  onRejected?(runs: readonly RejectedRun[]): void;
  /** Called once all has been copied; goes on until the signal aborts. */
  onCopied?(kept: KeptIndex): Promise<void>;
}

/** An index that is kept up in one epoch. */
export interface KeptIndex {
  /** When that began, in ms since 1970. */
  readonly since: number;
  /** Whether another process began the epoch. */
  readonly resumed: boolean;
  readonly signal: AbortSignal;
}

type Stage = Run['lifecycleStage'];

export interface KeeperStatus {
  /** The epoch the index was last begun in; undefined before the first and while it is begun again. */
  readonly epoch: number | undefined;
  /** Another gateway took the index over: this one answers from its backend only. */
  readonly superseded: boolean;
  readonly experiments: number;
  readonly completeExperiments: number;
  readonly queuedExperiments: number;
  /** Of the backfill that runs or ran last. */
  readonly backfill: Progress | undefined;
}

/** An experiment that could not be copied waits as after so many failures. */
const LATER = 5;
/** Runs whose experiment is learned from a backfill. */
const MAX_LEARNED = 100_000;

/** Brings every experiment to completeness in the index, and again whenever it has to be doubted. */
export class IndexKeeper {
  readonly coverage: ExperimentCoverage;
  readonly #options: IndexKeeperOptions;
  readonly #queue = new BackfillQueue();
  readonly #experiments = new Map<string, Stage>();
  readonly #stopped = new AbortController();
  /** The time in which it keeps the index in one epoch. */
  #term = new AbortController();
  #running: Promise<void> | undefined;
  #superseded = false;
  #progress: Progress | undefined;
  #learned = 0;
  /** This gateway fills the index, in this term. */
  #leading = false;

  constructor(options: IndexKeeperOptions) {
    this.#options = options;
    const { index, journal, trustMs, retryMs } = options;
    const onForeignEpoch = (ours: number, current: number) => this.#leave(ours, current);
    this.coverage = new ExperimentCoverage(index, { journal, trustMs, distrustMs: retryMs, onForeignEpoch });
  }

  get status(): KeeperStatus {
    return {
      epoch: this.coverage.epoch,
      superseded: this.#superseded,
      experiments: this.#experiments.size,
      completeExperiments: this.coverage.completeCount,
      queuedExperiments: this.#queue.size,
      backfill: this.#progress,
    };
  }

  get experimentIds(): readonly string[] {
    return [...this.#experiments.keys()];
  }

  /** A copy: all experiments, each in the stage that its backend last told. */
  get stages(): ReadonlyMap<string, Stage> {
    return new Map(this.#experiments);
  }

  /**
   * What the backend tells of its experiments. New ones are copied.
   * @returns how many are new, and whether anything was not known.
   */
  learn(stages: ReadonlyMap<string, Stage>, vanished: readonly string[]): { created: number; changed: boolean } {
    const news = [...stages].filter(([id, stage]) => this.#experiments.get(id) !== stage);
    const created = news.map(([id]) => id).filter((id) => !this.#experiments.has(id));
    this.#queue.add(created);
    for (const [id, stage] of news) this.#experiments.set(id, stage);
    for (const id of vanished) this.#experiments.delete(id);
    return { created: created.length, changed: news.length > 0 || vanished.length > 0 };
  }

  start(): void {
    this.#running ??= this.#run();
  }

  async stop(): Promise<void> {
    this.#stopped.abort();
    await this.#running;
  }

  /** Runs of any experiment may have changed: from now on none is complete until it was copied again. */
  async doubtAll(): Promise<void> {
    this.coverage.end();
    this.#term.abort();
    await this.#options.ledger.void();
  }

  /** The gateways agreed on another epoch, or that there is none. */
  hearEpoch(epoch: number | undefined, except: ReadonlySet<string>): void {
    this.coverage.forgetDoubts(except);
    if (this.coverage.epoch === undefined || this.coverage.epoch === epoch) return;
    this.coverage.end();
    this.#term.abort();
  }

  hearRole(leads: boolean): void {
    if (this.#leading && !leads) this.#term.abort();
  }

  /** What other gateways did to experiments. */
  hear({ doubted, trusted, created }: Pick<News, 'doubted' | 'trusted' | 'created'>): void {
    for (const id of doubted) this.coverage.doubt(id, 'heard');
    for (const id of trusted) this.coverage.trust(id);
    // After a time without Redis, everything of this epoch is heard again.
    const unknown = created.filter((id) => !this.#experiments.has(id));
    for (const id of unknown) this.#experiments.set(id, 'active');
    if (!this.#leading) return;
    this.#queue.add(doubted, true);
    // Whoever made them may not live to record that they are complete.
    this.#queue.add(unknown);
  }

  /** Any run of these experiments may have changed; with `copy`, nothing more is expected to, so copy them again. */
  async doubt(experimentIds: readonly string[], copy: boolean): Promise<void> {
    for (const id of experimentIds) this.coverage.doubt(id);
    if (copy) this.#queue.add(experimentIds, true);
    await this.#options.ledger.note({ doubted: experimentIds });
  }

  /** The index cannot hold some run of these experiments, so they stay with the backend. */
  async exclude(experimentIds: readonly string[]): Promise<void> {
    const ids = [...new Set(experimentIds)];
    const { epoch } = this.coverage;
    if (epoch !== undefined)
      this.#options.index.recordCoverage(ids, 'excluded', epoch).catch((error) => this.#options.onFailure(error));
    await this.doubt(ids, false);
  }

  /** These experiments were just created: there is nothing to copy. */
  async welcome(experimentIds: readonly string[]): Promise<void> {
    const { epoch } = this.coverage;
    // Between epochs the coming backfill will find them.
    if (epoch === undefined) return;
    const counts = experimentIds.map((id) => this.coverage.watch(id));
    for (const id of experimentIds) this.#experiments.set(id, 'active');
    try {
      await this.#options.index.recordCoverage(experimentIds, 'complete', epoch);
      for (const [i, id] of experimentIds.entries()) if (counts[i]?.()) this.#confirm(id);
    } catch (error) {
      this.#options.onFailure(error);
      this.#queue.add(experimentIds);
    }
  }

  #confirm(experimentId: string): void {
    if (this.coverage.confirm(experimentId)) void this.#options.ledger.trust(experimentId);
  }

  async #run(): Promise<void> {
    const stopped = this.#stopped.signal;
    let [waitMs, briefTerms] = [0, 0];
    while (!stopped.aborted && !this.#superseded) {
      this.#term = new AbortController();
      const signal = AbortSignal.any([stopped, this.#term.signal]);
      const begunAt = performance.now();
      await this.#serve(signal).catch((error: unknown) => signal.aborted || this.#options.onFailure(error));
      // What makes a term void often comes in bursts. To wait for longer than terms last only keeps the index away.
      briefTerms = performance.now() - begunAt > waitMs ? 1 : briefTerms + 1;
      waitMs = backOff(briefTerms, this.#options.retryMs);
      await sleep(waitMs, undefined, { signal: stopped, ref: false }).catch(() => undefined);
    }
  }

  /** Begins an epoch, or goes on with an earlier process's, and copies what is queued, until the signal aborts. */
  async #serve(signal: AbortSignal): Promise<never> {
    const { index, reader, ledger, onFailure, retryMs } = this.#options;
    const again = { firstMs: retryMs, signal, onFailure };
    const since = Date.now();
    const { epoch, resumed } = await persist(async () => {
      // Each time: the index may be deleted in between, by the last word of a rebuild whose process was killed.
      await index.prepare();
      return takeEpoch(index, ledger, signal);
    }, again);
    signal.throwIfAborted();
    this.coverage.begin(epoch);
    await this.#untilLeading(signal);
    this.#queue.clear();
    const stages = await persist(() => reader.experimentStages(signal), again);
    const ids = [...stages.keys()];
    for (const [id, stage] of stages) this.#experiments.set(id, stage);
    const recorded = await persist(() => index.coverage(ids, epoch), again);
    this.#queue.add(ids.filter((id) => !recorded.has(id) || this.coverage.isDoubted(id)));
    await this.#backfill(epoch, signal);
    const kept = { since, resumed, signal };
    await Promise.allSettled([this.#followQueue(epoch, signal), this.#options.onCopied?.(kept)]);
    throw signal.reason;
  }

  async #followQueue(epoch: number, signal: AbortSignal): Promise<never> {
    for (;;) {
      await this.#queue.filled(signal);
      await this.#backfill(epoch, signal);
    }
  }

  async #untilLeading(signal: AbortSignal): Promise<void> {
    this.#leading = false;
    while (!this.#options.ledger.leads) await sleep(LEDGER_POLL_MS, undefined, { signal, ref: false });
    this.#leading = true;
  }

  #backfill(epoch: number, signal: AbortSignal): Promise<void> {
    const { index, reader, onFailure, retryMs, maxRunsPerSecond } = this.#options;
    return backfill(
      { index, reader },
      {
        queue: this.#queue,
        epoch,
        signal,
        maxRunsPerSecond,
        retryMs,
        watch: (id) => this.coverage.watch(id),
        copiedTo: (id) => this.coverage.copiedTo(id),
        onCopiedTo: (id, startTime) => this.coverage.noteCopiedTo(id, startTime),
        onRead: (id, runs) => this.#learn(id, runs),
        onRejected: (runs) => this.#options.onRejected?.(runs),
        onProgress: (progress) => {
          this.#progress = progress;
        },
        onRecorded: (id, coverage) => coverage === 'complete' && this.#confirm(id),
        onFailure,
        onGivenUp: (id) => setTimeout(() => this.#queue.add([id]), backOff(LATER, retryMs)).unref(),
      },
    );
  }

  /** So that the first write to a run need not ask where it belongs. The newest are read first, and written to most. */
  #learn(experimentId: string, runs: readonly string[]): void {
    for (const run of runs.slice(0, MAX_LEARNED - this.#learned)) {
      // The first field of a run; a text that only looks like it would have its quotes escaped.
      const runId = /^\{"info":\{"run_uuid":"([\w-]+)"/.exec(run)?.[1];
      if (runId !== undefined) this.#options.directory.learn(runId, experimentId);
      this.#learned++;
    }
  }

  #leave(ours: number, current: number): void {
    // A smaller number is that of another, empty index, which is ours to fill.
    this.#superseded = current > ours && !this.#options.ledger.isShared;
    this.#term.abort();
  }
}
