import { decodeRun } from '../domain/run-text.ts';
import type { RunReader } from '../plan/run-reader.ts';
import type { Coverage, RejectedRun, RunsIndex } from '../plan/runs-index.ts';
import { tryTimes } from './back-off.ts';
import { type Progress, ProgressMeter } from './backfill-progress.ts';
import type { BackfillQueue } from './backfill-queue.ts';
import { hasEnd } from './misread-runs.ts';
import { Pace } from './pace.ts';
import { Turns } from './turns.ts';

export interface BackfillPorts {
  readonly index: RunsIndex;
  readonly reader: RunReader;
}

export interface BackfillOptions {
  /** What to copy; experiments may be added meanwhile. */
  readonly queue: BackfillQueue;
  /** The epoch to record coverage in: current before any experiment of the queue is begun. */
  readonly epoch: number;
  readonly signal: AbortSignal;
  /** Most runs read a second; absent: as fast as it goes. */
  readonly maxRunsPerSecond?: number | undefined;
  /** First wait after a failure, in ms. */
  readonly retryMs?: number;
  /** Called before an experiment is read; the result says at its end whether the copy still counts. */
  watch?(experimentId: string): () => boolean;
  /** Where to go on with a copy that was interrupted: at the runs that started then. */
  copiedTo?(experimentId: string): bigint | undefined;
  /** The index has taken all runs of an experiment that started later; told only while the copy still counts. */
  onCopiedTo?(experimentId: string, startTime: bigint): void;
  onProgress?(progress: Progress): void;
  /** Runs of an experiment were read. */
  onRead?(experimentId: string, runs: readonly string[]): void;
  /** The index cannot hold these. */
  onRejected?(runs: readonly RejectedRun[]): void;
  /** The index has it on record. */
  onRecorded?(experimentId: string, coverage: Coverage): void;
  /** An attempt failed. */
  onFailure?(error: unknown): void;
  /** Given up after some attempts; the others go on. */
  onGivenUp?(experimentId: string, error: unknown): void;
}

interface Page {
  readonly runs: readonly string[];
  readonly version: number;
}

interface Copied {
  readonly experimentId: string;
  readonly coverage: Coverage;
  readonly counts: () => boolean;
}

/** More than are read, so that nobody waits for the backend while it waits for the index. */
const EXPERIMENTS_AT_ONCE = 4;
const READINGS_AT_ONCE = 2;
const ATTEMPTS = 4;
/** Refreshing and recording cost the same for one experiment as for many, and most experiments are small. */
const RECORD_EVERY_MS = 2_000;
/** Taking one costs the index a write, which matters where experiments are small. */
const VERSION_FOR_MS = 1_000;

/**
 * Copies all runs of the queued experiments and records each as complete, or as excluded when the index cannot hold a
 * run of it. Ends when the queue is empty. @throws the signal's reason when it aborts, nothing else.
 */
export async function backfill(ports: BackfillPorts, options: BackfillOptions): Promise<void> {
  const job = new Job(ports, options);
  const workers = await Promise.allSettled(Array.from({ length: EXPERIMENTS_AT_ONCE }, () => job.work()));
  for (const worker of workers) if (worker.status === 'rejected') throw worker.reason;
  job.report();
}

class Job {
  readonly #ports: BackfillPorts;
  readonly #options: BackfillOptions;
  readonly #meter = new ProgressMeter();
  readonly #retryMs: number;
  #copied: Copied[] = [];
  #recordedAt = performance.now();
  readonly #pace: Pace;
  readonly #readings = new Turns(READINGS_AT_ONCE);
  #inWork = 0;

  constructor(ports: BackfillPorts, options: BackfillOptions) {
    this.#ports = ports;
    this.#options = options;
    this.#retryMs = options.retryMs ?? 1_000;
    this.#pace = new Pace(options.maxRunsPerSecond);
  }

  async work(): Promise<void> {
    const { queue, watch } = this.#options;
    for (let id = queue.next(); id !== undefined; id = queue.next()) {
      this.#inWork++;
      const counts = watch?.(id) ?? (() => true);
      const coverage = await this.#attempt([id], () => this.#copy(id, counts));
      this.#inWork--;
      this.#meter.addExperiment();
      this.report();
      if (coverage) this.#copied.push({ experimentId: id, coverage, counts });
      if (this.#copied.length === 0) continue;
      if (queue.size === 0 || performance.now() - this.#recordedAt >= RECORD_EVERY_MS) await this.#record();
    }
  }

  report(): void {
    this.#options.onProgress?.(this.#meter.read(this.#options.queue.size + this.#inWork));
  }

  /** While a page is written the next one is read. */
  async #copy(experimentId: string, counts: () => boolean): Promise<Coverage> {
    const { index, reader } = this.#ports;
    const { signal, copiedTo, onRead, onRejected, onCopiedTo } = this.#options;
    const from = copiedTo?.(experimentId);
    const pages = reader.scanExperiment(experimentId, signal, from)[Symbol.asyncIterator]();
    const nextVersion = this.#versions();
    let coverage: Coverage = 'complete';
    // What was read before an interruption is not known.
    let allEnded = from === undefined;
    for (let page = await this.#read(pages, nextVersion); page; ) {
      onRead?.(experimentId, page.runs);
      allEnded &&= page.runs.every(hasEnd);
      const [next, { rejected }] = await Promise.all([
        this.#read(pages, nextVersion),
        index.write(page.runs, page.version),
      ]);
      if (rejected.length > 0) {
        coverage = 'excluded';
        onRejected?.(rejected);
      }
      // Whoever goes on has to come across the rejected run, too.
      if (coverage === 'complete' && counts()) onCopiedTo?.(experimentId, oldestStartOf(page));
      page = next;
    }
    if (allEnded) return coverage;
    const misread = await this.#readings.take(() => reader.runsEndedAtZero(experimentId, undefined, signal));
    return misread.length > 0 ? 'excluded' : coverage;
  }

  /** For one copy alone: under a version of the copy before, what this one reads would not replace what that one read. */
  #versions(): () => Promise<number> {
    let version = 0;
    let takenAt = Number.NEGATIVE_INFINITY;
    return async () => {
      const now = performance.now();
      if (now - takenAt < VERSION_FOR_MS) return version;
      version = await this.#ports.index.nextVersion();
      takenAt = now;
      return version;
    };
  }

  /** The version is taken before the page is read, so that this reading never replaces a younger one. */
  async #read(pages: AsyncIterator<readonly string[]>, nextVersion: () => Promise<number>): Promise<Page | undefined> {
    const version = await nextVersion();
    return this.#readings.take(async () => {
      await this.#pace.wait(this.#options.signal);
      const { done, value } = await pages.next();
      if (done) return undefined;
      this.#pace.count(value.length);
      this.#meter.addRuns(value.length);
      this.report();
      return { runs: value, version };
    });
  }

  /** Records what is copied, once it is visible to searches. */
  async #record(): Promise<void> {
    const copied = this.#copied;
    this.#copied = [];
    this.#recordedAt = performance.now();
    const { index } = this.#ports;
    const { epoch } = this.#options;
    await this.#attempt(
      copied.map(({ experimentId }) => experimentId),
      async () => {
        await index.refresh();
        for (const coverage of ['complete', 'excluded'] as const) {
          const counting = copied.filter((copy) => copy.coverage === coverage && copy.counts());
          const ids = counting.map(({ experimentId }) => experimentId);
          if (ids.length > 0) await index.recordCoverage(ids, coverage, epoch);
          for (const { experimentId, counts } of counting)
            if (counts()) this.#options.onRecorded?.(experimentId, coverage);
        }
      },
    );
  }

  /** Tries a few times; then these experiments are given up. */
  async #attempt<T>(experimentIds: readonly string[], action: () => Promise<T>): Promise<T | undefined> {
    const { signal, onFailure = () => {}, onGivenUp } = this.#options;
    return tryTimes(ATTEMPTS, action, {
      firstMs: this.#retryMs,
      signal,
      onFailure,
      onGivenUp(error) {
        for (const id of experimentIds) onGivenUp?.(id, error);
      },
    });
  }
}

/** Pages come newest first. */
const oldestStartOf = ({ runs }: Page): bigint => decodeRun(runs.at(-1) ?? '').startTime;
