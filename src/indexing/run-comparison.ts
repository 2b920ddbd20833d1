import { chunksOf } from '../domain/chunks-of.ts';
import { sameRun } from '../domain/run-differences.ts';
import type { RunDirectory } from '../plan/run-directory.ts';
import type { RunReader } from '../plan/run-reader.ts';
import type { RejectedRun, RunsIndex } from '../plan/runs-index.ts';
import { NO_EFFECT, type WriteEffect } from '../plan/write-effect.ts';
import { allRuns } from '../query/runs-query.ts';
import { findHeld, IndexWalk, type RunRow, type RunShare, toRow } from './index-walk.ts';
import { misreadRuns } from './misread-runs.ts';
import type { Pace } from './pace.ts';
import type { Refresher } from './refresher.ts';
import type { Turns } from './turns.ts';

/** How an index differed from its backend: a run that it lacked, held otherwise, or held though the backend has it no more. */
export type DriftKind = 'missing' | 'changed' | 'gone';

export interface ComparisonPorts {
  readonly index: RunsIndex;
  readonly reader: RunReader;
  readonly directory: RunDirectory;
  readonly refresher: Refresher;
  /** Whether a difference of this run may be a write that the feed knows of and is still about to copy. */
  isBusy(runId: string, experimentId: string): boolean;
}

export interface ComparisonEvents {
  /** So many runs were read from the backend. */
  onRead(runs: number): void;
  onDrift(kind: DriftKind, runs: number): void;
  /** The index cannot hold these. */
  onRejected(runs: readonly RejectedRun[]): Promise<void>;
  /** The index holds these as they are now. */
  onRepaired(effect: WriteEffect): Promise<void>;
}

/** As many as a backend takes in one reading by ids. */
const RUNS_A_READING = 100;

/** A reading of the backend, under the version taken before it. */
interface Reading {
  readonly version: number;
  readonly rows: readonly RunRow[];
  /** Runs that were asked for by their ids: those that are not among the rows are no more. */
  readonly asked: readonly string[];
}

/**
 * Sets runs of a backend against what an index holds, and repairs the index. Both are read in one order, side by side; what
 * does not meet its like is looked up by its id before it counts.
 */
export class RunComparison {
  readonly #ports: ComparisonPorts;
  readonly #events: ComparisonEvents;
  readonly #turns: Turns;
  readonly #share: RunShare;
  readonly #signal: AbortSignal;
  readonly #walk: IndexWalk;
  /** Ids of the last page: the next one may begin with some of them. */
  #lastPage: ReadonlySet<string> = new Set();

  /** Comparisons that share `turns` never repair, nor count, the same run twice. */
  constructor(ports: ComparisonPorts, events: ComparisonEvents, turns: Turns, share: RunShare, signal: AbortSignal) {
    this.#ports = ports;
    this.#events = events;
    this.#turns = turns;
    this.#share = share;
    this.#signal = signal;
    this.#walk = new IndexWalk(ports.index, allRuns(share.experimentIds, share.filter));
  }

  /** @throws what backend and index throw, and the signal's reason. */
  async run(pace: Pace): Promise<void> {
    const { experimentIds, filter } = this.#share;
    const pages = this.#ports.reader.scanRuns(experimentIds, filter, this.#signal)[Symbol.asyncIterator]();
    for (let more = true; more; ) {
      await pace.wait(this.#signal);
      more = await this.#turns.take(() => this.#step(pages, pace));
    }
  }

  async #step(pages: AsyncIterator<readonly string[]>, pace: Pace): Promise<boolean> {
    const version = await this.#ports.index.nextVersion();
    const begun = performance.now();
    const { done, value } = await pages.next();
    if (done) {
      await this.#endWalk();
      return false;
    }
    pace.count(value.length, performance.now() - begun);
    this.#events.onRead(value.length);
    const rows = (value as readonly string[]).map(toRow).filter(({ run }) => !this.#lastPage.has(run.runId));
    if (rows.length > 0) await this.#comparePage({ version, rows, asked: [] });
    return true;
  }

  async #comparePage(page: Reading): Promise<void> {
    const { index, refresher } = this.#ports;
    const { experimentIds } = this.#share;
    const busy = this.#busyOf(page.rows);
    await refresher.show(experimentIds);
    const ids = new Set(page.rows.map(({ run }) => run.runId));
    this.#lastPage = ids;
    const held = new Map<string, RunRow>();
    const suspects: RunRow[] = [];
    for await (const row of this.#walk.upTo(page.rows.at(-1)?.run, this.#signal)) {
      if (ids.has(row.run.runId)) held.set(row.run.runId, row);
      else suspects.push(row);
    }
    const unmet = [...ids].filter((id) => !held.has(id));
    for (const [id, row] of await findHeld(index, experimentIds, unmet, this.#signal)) held.set(id, row);
    await this.#repair(page, held, busy);
    await this.#lookUp(suspects);
  }

  /** What the index has beyond the backend's last run. */
  async #endWalk(): Promise<void> {
    const { experimentIds } = this.#share;
    await this.#ports.refresher.show(experimentIds);
    let suspects: RunRow[] = [];
    for await (const row of this.#walk.upTo(undefined, this.#signal)) {
      suspects.push(row);
      if (suspects.length < RUNS_A_READING) continue;
      await this.#lookUp(suspects);
      suspects = [];
    }
    await this.#lookUp(suspects);
  }

  /** Runs that only the index has here: they changed, or are no more. */
  async #lookUp(suspects: readonly RunRow[]): Promise<void> {
    const { index, reader, refresher } = this.#ports;
    for (const [experimentId, rows] of inReadings(suspects)) {
      const busy = this.#busyOf(rows);
      const asked = rows.map(({ run }) => run.runId);
      const version = await index.nextVersion();
      const texts = await reader.readRuns(experimentId, asked, this.#signal);
      this.#events.onRead(texts.length);
      await refresher.show([experimentId]);
      const held = await findHeld(index, [experimentId], asked, this.#signal);
      await this.#repair({ version, rows: texts.map(toRow), asked }, held, busy);
    }
  }

  /**
   * A run that was busy before the index was read may have been written to it since; one that gets busy later is written
   * under a larger version.
   */
  #busyOf(rows: readonly RunRow[]): ReadonlySet<string> {
    const busy = rows.filter(({ run }) => this.#ports.isBusy(run.runId, run.experimentId));
    return new Set(busy.map(({ run }) => run.runId));
  }

  async #repair(
    { version, rows, asked }: Reading,
    held: ReadonlyMap<string, RunRow>,
    busyBefore: ReadonlySet<string>,
  ): Promise<void> {
    const { isBusy } = this.#ports;
    const read = new Set(rows.map(({ run }) => run.runId));
    const gone = asked.filter((id) => !read.has(id)).flatMap((id) => held.get(id) ?? []);
    const missing = rows.filter(({ run }) => !held.has(run.runId));
    const changed = rows.filter(({ run, text }) => {
      const before = held.get(run.runId);
      return before !== undefined && !sameRun(before.text, text);
    });
    const isKnown = ({ run }: RunRow) => busyBefore.has(run.runId) || isBusy(run.runId, run.experimentId);
    const known = [...missing, ...changed].filter(isKnown);
    const drift = (some: readonly RunRow[]) => some.filter((row) => !known.includes(row));
    await this.#write(known, version);
    await this.#write(drift(missing), version, 'missing');
    await this.#write(drift(changed), version, 'changed');
    await this.#remove(gone, version);
  }

  async #write(rows: readonly RunRow[], version: number, kind?: DriftKind): Promise<void> {
    if (rows.length === 0) return;
    const { index, reader, directory } = this.#ports;
    const texts = rows.map(({ text }) => text);
    const { written, rejected } = await index.write(texts, version);
    if (kind) this.#events.onDrift(kind, written + rejected.length);
    const misread: RejectedRun[] = [];
    for (const [experimentId, some] of inReadings(rows)) {
      const ofOne = some.map(({ text }) => text);
      misread.push(...(await misreadRuns(reader, experimentId, ofOne, this.#signal)));
    }
    for (const { run } of rows) directory.learn(run.runId, run.experimentId);
    const strange = [...rejected, ...misread];
    if (strange.length > 0) await this.#events.onRejected(strange);
    await this.#tell(rows);
  }

  async #remove(rows: readonly RunRow[], version: number): Promise<void> {
    if (rows.length === 0) return;
    const ids = rows.map(({ run }) => run.runId);
    this.#events.onDrift('gone', await this.#ports.index.remove(ids, version));
    await this.#tell(rows);
  }

  async #tell(rows: readonly RunRow[]): Promise<void> {
    const runs = rows.map(({ run }) => ({ runId: run.runId, experimentId: run.experimentId }));
    for (const id of new Set(runs.map(({ experimentId }) => experimentId))) this.#ports.refresher.noteWrite(id);
    await this.#events.onRepaired({ ...NO_EFFECT, runs });
  }
}

/** Runs as they can be read again: of one experiment each, and not too many. */
function* inReadings(rows: readonly RunRow[]): Generator<[experimentId: string, rows: readonly RunRow[]]> {
  for (const [experimentId, some] of Map.groupBy(rows, ({ run }) => run.experimentId))
    for (const chunk of chunksOf(RUNS_A_READING, some)) yield [experimentId, chunk];
}
