import { existsSync } from 'node:fs';
import { GatewayError } from '../../src/errors/gateway-error.ts';
import type { Scan } from '../../src/plan/adapter.ts';
import type { Coverage, RunsIndex, WriteReport } from '../../src/plan/runs-index.ts';
import type { RunQuery } from '../../src/query/run-query.ts';
import { IndexPlace, removeDatabase } from './index-place.ts';
import { RunSource } from './run-source.ts';
import { WorkerThread } from './worker-thread.ts';

export { type FeedJournalOptions, openFeedJournal } from './feed-journal.ts';
export { createSqliteStore, type SqliteStore } from './sqlite-store.ts';

export interface SqliteOptions {
  /** The database file; it and its folder are made when they are not there. A rebuild makes others beside it. */
  readonly file: string;
}

/** Runs in a SQLite file of this machine. */
export const createSqliteIndex = (options: SqliteOptions): RunsIndex => new SqliteIndex(new IndexPlace(options.file));

interface Connections {
  readonly source: RunSource;
  readonly writer: WorkerThread;
}

class SqliteIndex implements RunsIndex {
  readonly name = 'sqlite';
  readonly #place: IndexPlace;
  #file: string;
  #connections: Connections | undefined;
  /** The index whose place this one does not have yet. */
  #inUse: SqliteIndex | undefined;
  #isReplaced = false;
  /** Whether what earlier ones left is gone. */
  #isNew = false;

  constructor(place: IndexPlace, inUse?: SqliteIndex) {
    this.#place = place;
    this.#inUse = inUse;
    this.#file = inUse ? place.other : place.current;
  }

  /** Made when first used: who only deletes an index needs none. */
  get #open(): Connections {
    this.#connections ??= {
      source: new RunSource(this.#file),
      writer: new WorkerThread({ path: this.#file, role: 'index-writer' }),
    };
    return this.#connections;
  }

  pushDown(query: RunQuery): Scan {
    return this.#open.source.pushDown(query);
  }

  async exists(): Promise<boolean> {
    return existsSync(this.#file);
  }

  async prepare(): Promise<void> {
    if (this.#isReplaced)
      throw new GatewayError('TEMPORARILY_UNAVAILABLE', 'Another SQLite file has taken the place of this index.');
    if (!this.#inUse) await this.#follow(this.#place.current);
    // The file is opened when it is first asked for something.
    else if (!this.#isNew) removeDatabase(this.#file);
    this.#isNew = true;
    await this.epoch();
  }

  /** Another process may have rebuilt the index. */
  async #follow(file: string): Promise<void> {
    if (file === this.#file) return;
    await this.close();
    this.#connections = undefined;
    this.#file = file;
  }

  nextVersion(): Promise<number> {
    return this.#open.writer.call('nextVersion');
  }

  write(runs: readonly string[], version: number): Promise<WriteReport> {
    return this.#open.writer.call('write', runs, version);
  }

  remove(runIds: readonly string[], version: number): Promise<number> {
    return this.#open.writer.call('remove', runIds, version);
  }

  /** What was written is visible at once. */
  async refresh(): Promise<void> {}

  beginEpoch(): Promise<number> {
    return this.#open.writer.call('beginEpoch');
  }

  epoch(): Promise<number> {
    return this.#open.writer.call('epoch');
  }

  recordCoverage(experimentIds: readonly string[], coverage: Coverage, epoch: number): Promise<void> {
    return this.#open.writer.call('recordCoverage', experimentIds, coverage, epoch);
  }

  coverage(experimentIds: readonly string[], epoch: number): Promise<ReadonlyMap<string, Coverage>> {
    return this.#open.writer.call('coverage', experimentIds, epoch);
  }

  note(): Promise<string | undefined> {
    return this.#open.writer.call('note');
  }

  replaceNote(before: string | undefined, after: string | undefined): Promise<boolean> {
    return this.#open.writer.call('replaceNote', before, after);
  }

  beside(): RunsIndex {
    return new SqliteIndex(this.#place, this);
  }

  async takeOver(): Promise<void> {
    if (!this.#inUse) return;
    this.#inUse.#isReplaced = true;
    this.#place.moveTo(this.#file);
    this.#inUse = undefined;
  }

  async destroy(): Promise<void> {
    await this.close();
    removeDatabase(this.#file);
  }

  async ping(): Promise<void> {
    await this.epoch();
  }

  async close(): Promise<void> {
    const { source, writer } = this.#connections ?? {};
    await Promise.all([source?.close(), writer?.close()]);
  }
}
