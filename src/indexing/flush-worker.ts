import type { FeedLedger } from '../plan/feed-ledger.ts';
import type { RunDirectory } from '../plan/run-directory.ts';
import type { RunReader } from '../plan/run-reader.ts';
import type { RejectedRun, RunsIndex } from '../plan/runs-index.ts';
import type { DirtyRuns, TakenRun } from './dirty-runs.ts';
import { inParallel } from './in-parallel.ts';
import { isEndUnsaid, misreadRuns } from './misread-runs.ts';
import type { Refresher } from './refresher.ts';

export interface FlushPorts {
  readonly index: RunsIndex;
  readonly reader: RunReader;
  readonly directory: RunDirectory;
  readonly dirty: DirtyRuns;
  readonly ledger: FeedLedger;
  readonly refresher: Refresher;
}

export interface FlushEvents {
  /** The index cannot hold these; told before the runs count as copied. */
  onRejected(runs: readonly RejectedRun[]): Promise<void>;
  onUnknownRun(runId: string): void;
  onFailure(error: unknown): void;
}

/** So few that a search seldom waits long for the round before its own. */
const RUNS_A_ROUND = 200;
const RUNS_A_READING = 100;
const READINGS_AT_ONCE = 4;

interface LocatedRun extends TakenRun {
  readonly experimentId: string;
}

interface Reading {
  readonly experimentId: string;
  readonly runs: readonly LocatedRun[];
}

/**
 * Copies dirty runs to the index, one round at a time, so that a run written to a hundred times a second is read once a
 * round.
 */
export class FlushWorker {
  readonly #ports: FlushPorts;
  readonly #events: FlushEvents;
  readonly #coalesceMs: number;
  readonly #stopped = new AbortController();
  readonly #urgent = new Set<string>();
  #timer: NodeJS.Timeout | undefined;
  #dueAt = Number.POSITIVE_INFINITY;
  #running = false;
  #roundEnd = Promise.withResolvers<void>();

  constructor(ports: FlushPorts, events: FlushEvents, coalesceMs: number) {
    this.#ports = ports;
    this.#events = events;
    this.#coalesceMs = coalesceMs;
  }

  /** Begins a round soon, when more has gathered. */
  wake(): void {
    this.#schedule(this.#coalesceMs);
  }

  /**
   * Begins a round now, these experiments first. Resolves at the end of it, or of the one that runs already.
   * @throws when the worker was stopped.
   */
  async hurry(experimentIds: Iterable<string>): Promise<void> {
    this.#stopped.signal.throwIfAborted();
    for (const id of experimentIds) this.#urgent.add(id);
    this.#schedule(this.#ports.dirty.nextTurnMs(this.#urgent) ?? 0);
    return this.#roundEnd.promise;
  }

  /** Ends what runs; the dirty runs stay. */
  stop(): void {
    this.#stopped.abort();
    clearTimeout(this.#timer);
    this.#roundEnd.resolve();
  }

  #schedule(delayMs: number): void {
    const dueAt = performance.now() + delayMs;
    if (this.#running || this.#dueAt <= dueAt || this.#stopped.signal.aborted) return;
    clearTimeout(this.#timer);
    this.#dueAt = dueAt;
    // It keeps the process alive: whoever stops the gateway waits for this round.
    this.#timer = setTimeout(() => void this.#runRound(), delayMs);
  }

  async #runRound(): Promise<void> {
    this.#running = true;
    await this.#round();
    this.#running = false;
    this.#dueAt = Number.POSITIVE_INFINITY;
    this.#roundEnd.resolve();
    this.#roundEnd = Promise.withResolvers<void>();
    const next = this.#ports.dirty.nextTurnMs(this.#urgent);
    if (next !== undefined) this.#schedule(this.#urgent.size > 0 ? next : Math.max(next, this.#coalesceMs));
  }

  /**
   * The version is taken after the runs and before any reading: so it is larger than that of every reading which may
   * lack a write these marks stand for. Never rejects.
   */
  async #round(): Promise<void> {
    const due = this.#ports.dirty.take(RUNS_A_ROUND, this.#urgent);
    this.#urgent.clear();
    if (due.length === 0) return;
    let taken = due;
    try {
      taken = await this.#claim(due);
      if (taken.length === 0) return;
      const version = await this.#ports.index.nextVersion();
      const located: LocatedRun[] = [];
      await inParallel(taken, READINGS_AT_ONCE, (run) => this.#locate(run, located));
      await inParallel(inReadings(located), READINGS_AT_ONCE, (reading) => this.#copy(reading, version));
    } catch (error) {
      this.#giveBack(taken, error);
    }
  }

  /** Those that no other gateway copies, or has copied. */
  async #claim(due: readonly TakenRun[]): Promise<readonly TakenRun[]> {
    const { ledger, dirty, refresher, directory } = this.#ports;
    const claims = await ledger.claim(due.map(({ runId }) => runId));
    return due.filter(({ runId }) => {
      const claim = claims.get(runId);
      if (claim === 'settled') {
        refresher.noteWrite(directory.experimentOf(runId));
        dirty.settle(runId);
      } else if (claim === 'others') dirty.leave(runId);
      return claim === 'mine';
    });
  }

  async #locate(run: TakenRun, located: LocatedRun[]): Promise<void> {
    const { directory, reader, dirty, ledger } = this.#ports;
    try {
      const experimentId =
        directory.experimentOf(run.runId) ?? (await reader.experimentOf(run.runId, this.#stopped.signal));
      if (experimentId === undefined) {
        await ledger.settle([run.runId], []);
        dirty.settle(run.runId);
        this.#events.onUnknownRun(run.runId);
      } else {
        directory.learn(run.runId, experimentId);
        located.push({ ...run, experimentId });
      }
    } catch (error) {
      this.#giveBack([run], error);
    }
  }

  /** Runs that the backend does not find any more are done with as well. */
  async #copy({ experimentId, runs }: Reading, version: number): Promise<void> {
    const { index, reader, dirty, refresher, ledger } = this.#ports;
    const ids = runs.map(({ runId }) => runId);
    try {
      const texts = await reader.readRuns(experimentId, ids, this.#stopped.signal);
      const [{ rejected: refused }, misread] = await Promise.all([
        index.write(texts, version),
        misreadRuns(reader, experimentId, texts.filter(isEndUnsaid), this.#stopped.signal),
      ]);
      refresher.noteWrite(experimentId);
      const rejected = [...refused, ...misread];
      if (rejected.length > 0) await this.#events.onRejected(rejected);
      await ledger.settle(ids, [experimentId]);
      for (const id of ids) dirty.settle(id);
    } catch (error) {
      this.#giveBack(runs, error);
    }
  }

  #giveBack(runs: readonly TakenRun[], error: unknown): void {
    const { dirty, ledger } = this.#ports;
    for (const { runId } of runs) dirty.giveBack(runId, error);
    void ledger.release(runs.map(({ runId }) => runId));
    this.#events.onFailure(error);
  }
}

/**
 * Runs of one experiment are read together, in ever smaller groups after failures, so that one that cannot be read in
 * the end fails alone.
 */
function inReadings(runs: readonly LocatedRun[]): Reading[] {
  const readings: { experimentId: string; runs: LocatedRun[] }[] = [];
  const open = new Map<string, LocatedRun[]>();
  for (const run of runs) {
    const { experimentId, failures } = run;
    const alike = `${experimentId} ${failures}`;
    const group = open.get(alike);
    if (group && group.length < Math.floor(RUNS_A_READING / 4 ** failures)) {
      group.push(run);
    } else {
      const first = [run];
      open.set(alike, first);
      readings.push({ experimentId, runs: first });
    }
  }
  return readings;
}
