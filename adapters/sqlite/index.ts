import type { Scan } from '../../src/plan/adapter.ts';
import type { Coverage, RunsIndex, WriteReport } from '../../src/plan/runs-index.ts';
import type { RunQuery } from '../../src/query/run-query.ts';
import { RunSource } from './run-source.ts';
import { WorkerThread } from './worker-thread.ts';

export { type FeedJournalOptions, openFeedJournal } from './feed-journal.ts';
export { createSqliteStore, type SqliteStore } from './sqlite-store.ts';

export interface SqliteOptions {
  /** The database file; it and its folder are made when they are not there. */
  readonly file: string;
}

/** Runs in a SQLite file of this machine. */
export const createSqliteIndex = (options: SqliteOptions): RunsIndex => new SqliteIndex(options);

class SqliteIndex implements RunsIndex {
  readonly name = 'sqlite';
  readonly #source: RunSource;
  readonly #writer: WorkerThread;

  constructor({ file }: SqliteOptions) {
    this.#source = new RunSource(file);
    this.#writer = new WorkerThread({ path: file, role: 'index-writer' });
  }

  pushDown(query: RunQuery): Scan {
    return this.#source.pushDown(query);
  }

  async prepare(): Promise<void> {
    await this.epoch();
  }

  nextVersion(): Promise<number> {
    return this.#writer.call('nextVersion');
  }

  write(runs: readonly string[], version: number): Promise<WriteReport> {
    return this.#writer.call('write', runs, version);
  }

  remove(runIds: readonly string[], version: number): Promise<number> {
    return this.#writer.call('remove', runIds, version);
  }

  /** What was written is visible at once. */
  async refresh(): Promise<void> {}

  beginEpoch(): Promise<number> {
    return this.#writer.call('beginEpoch');
  }

  epoch(): Promise<number> {
    return this.#writer.call('epoch');
  }

  recordCoverage(experimentIds: readonly string[], coverage: Coverage, epoch: number): Promise<void> {
    return this.#writer.call('recordCoverage', experimentIds, coverage, epoch);
  }

  coverage(experimentIds: readonly string[], epoch: number): Promise<ReadonlyMap<string, Coverage>> {
    return this.#writer.call('coverage', experimentIds, epoch);
  }

  async ping(): Promise<void> {
    await this.epoch();
  }

  async close(): Promise<void> {
    await Promise.all([this.#source.close(), this.#writer.close()]);
  }
}
