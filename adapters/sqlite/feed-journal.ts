import { randomUUID } from 'node:crypto';
import { readFileSync, rmSync } from 'node:fs';
import type { DatabaseSync } from 'node:sqlite';
import type { FeedJournal, Unfinished } from '../../src/plan/feed-journal.ts';
import type { WriteEffect } from '../../src/plan/write-effect.ts';
import { type FileKind, openForWriting, transact } from './database.ts';
import { type Sql, sql } from './sql.ts';
import { Statements } from './statements.ts';

export interface FeedJournalOptions {
  readonly file: string;
  /** After a longer absence, in ms, the index is copied anew: who knows what was written past the gateway meanwhile. */
  readonly maxAbsenceMs: number;
  /** Told of what makes the journal useless, once. */
  onFailure(error: unknown): void;
}

const FILE: FileKind = {
  name: 'feed journal',
  applicationId: 0x6d6c676a,
  migrations: [
    `
CREATE TABLE state (one INTEGER PRIMARY KEY, epoch INTEGER, boot TEXT NOT NULL, alive_at INTEGER NOT NULL) STRICT;
CREATE TABLE runs (run_id TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;
CREATE TABLE experiments (experiment_id TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;
CREATE TABLE writes (id INTEGER PRIMARY KEY, effect TEXT NOT NULL) STRICT;
CREATE TABLE gateway (one INTEGER PRIMARY KEY, id TEXT NOT NULL, boot TEXT NOT NULL) STRICT;
`,
    'CREATE TABLE copied_to (experiment_id TEXT PRIMARY KEY, start_time INTEGER NOT NULL) STRICT, WITHOUT ROWID',
    'ALTER TABLE gateway ADD COLUMN company INTEGER NOT NULL DEFAULT 0',
  ],
  // Waiting for the disk would cost every write of a client milliseconds. So the notes count until the machine goes down.
  durable: false,
  // Whoever holds it keeps it, and the caller is the thread that serves.
  waitMs: 100,
};

const ALIVE_EVERY_MS = 1_000;
const NOTHING: Unfinished = {
  epoch: undefined,
  runs: [],
  experiments: [],
  copiedTo: new Map(),
  hadCompany: false,
  writes: [],
};

/** A journal in a file of this machine, for one process at a time: another one finds it locked, and goes without. */
export const openFeedJournal = (options: FeedJournalOptions): FeedJournal => new SqliteFeedJournal(options);

class SqliteFeedJournal implements FeedJournal {
  readonly unfinished: Unfinished;
  #id: string | undefined;
  readonly #options: FeedJournalOptions;
  readonly #boot = bootOf();
  #database: DatabaseSync | undefined;
  #statements: Statements | undefined;
  #epoch: number | undefined;
  #lastWrite = 0;
  #heart: NodeJS.Timeout | undefined;

  constructor(options: FeedJournalOptions) {
    this.#options = options;
    this.unfinished = this.#open() ?? NOTHING;
    this.#epoch = this.unfinished.epoch;
  }

  get id(): string | undefined {
    return this.#id;
  }

  begin(epoch: number, keepsNotes = epoch === this.#epoch): void {
    this.#epoch = epoch;
    this.#note(() => {
      if (!keepsNotes) this.#run(sql`DELETE FROM experiments`, sql`DELETE FROM copied_to`);
      this.#run(sql`INSERT OR REPLACE INTO state VALUES (1, ${epoch}, ${this.#boot ?? ''}, ${Date.now()})`);
    });
    this.#heart ??= setInterval(() => this.#beat(), ALIVE_EVERY_MS).unref();
  }

  end(): void {
    this.#epoch = undefined;
    this.#note(() => this.#run(sql`DELETE FROM state`));
  }

  noteRun(runId: string): void {
    this.#note(() => this.#run(sql`INSERT OR IGNORE INTO runs VALUES (${runId})`));
  }

  forgetRun(runId: string): void {
    this.#note(() => this.#run(sql`DELETE FROM runs WHERE run_id = ${runId}`));
  }

  noteExperiment(experimentId: string): void {
    this.#note(() => this.#run(sql`INSERT OR IGNORE INTO experiments VALUES (${experimentId})`));
  }

  forgetExperiment(experimentId: string): void {
    this.#note(() => this.#run(sql`DELETE FROM experiments WHERE experiment_id = ${experimentId}`));
  }

  noteCopiedTo(experimentId: string, startTime: bigint): void {
    this.#note(() => this.#run(sql`INSERT OR REPLACE INTO copied_to VALUES (${experimentId}, ${startTime})`));
  }

  forgetCopiedTo(experimentId: string): void {
    this.#note(() => this.#run(sql`DELETE FROM copied_to WHERE experiment_id = ${experimentId}`));
  }

  noteCompany(others: boolean): void {
    this.#note(() => this.#run(sql`UPDATE gateway SET company = ${others ? 1 : 0}`));
  }

  noteWrite(effect: WriteEffect): number {
    const id = ++this.#lastWrite;
    this.#note(() => this.#run(sql`INSERT INTO writes VALUES (${id}, ${JSON.stringify(effect)})`));
    return id;
  }

  forgetWrite(id: number): void {
    this.#note(() => this.#run(sql`DELETE FROM writes WHERE id = ${id}`));
  }

  close(): void {
    clearInterval(this.#heart);
    if (this.#epoch !== undefined) this.#beat();
    this.#database?.close();
    this.#database = undefined;
  }

  #beat(): void {
    this.#note(() => this.#run(sql`UPDATE state SET alive_at = ${Date.now()}`));
  }

  #open(): Unfinished | undefined {
    let database: DatabaseSync | undefined;
    try {
      database = openForWriting(this.#options.file, FILE);
      // Held until the end: two processes with one journal would forget for each other.
      database.exec('PRAGMA locking_mode = EXCLUSIVE');
      const statements = new Statements(database);
      const unfinished = transact(database, () => this.#read(statements));
      this.#database = database;
      this.#statements = statements;
      return unfinished;
    } catch (error) {
      database?.close();
      this.#options.onFailure(error);
      return undefined;
    }
  }

  #read(statements: Statements): Unfinished {
    const column = (query: Sql) =>
      statements.all<Record<string, string>>(query).map((row) => Object.values(row)[0] ?? '');
    const [state] = statements.all<{ epoch: bigint; boot: string; alive_at: bigint }>(sql`SELECT * FROM state`);
    const writes = statements
      .all<{ id: bigint; effect: string }>(sql`SELECT * FROM writes ORDER BY id`)
      .map(({ id, effect }) => ({ id: Number(id), effect: JSON.parse(effect) as WriteEffect }));
    const copiedTo = statements
      .all<{ experiment_id: string; start_time: bigint }>(sql`SELECT * FROM copied_to`)
      .map((row): [string, bigint] => [row.experiment_id, row.start_time]);
    this.#lastWrite = writes.at(-1)?.id ?? 0;
    const gateway = this.#readGateway(statements);
    this.#id = gateway.id;
    return {
      hadCompany: gateway.company !== 0n,
      epoch: state && this.#isReliable(state.boot, Number(state.alive_at)) ? Number(state.epoch) : undefined,
      runs: column(sql`SELECT run_id FROM runs`),
      experiments: column(sql`SELECT experiment_id FROM experiments`),
      copiedTo: new Map(copiedTo),
      writes,
    };
  }

  #readGateway(statements: Statements): { id: string; company: bigint } {
    const [gateway] = statements.all<{ id: string; boot: string; company: bigint }>(sql`SELECT * FROM gateway`);
    if (gateway && gateway.boot === this.#boot) return gateway;
    const id = randomUUID();
    statements.run(sql`INSERT OR REPLACE INTO gateway (one, id, boot) VALUES (1, ${id}, ${this.#boot ?? ''})`);
    return { id, company: 0n };
  }

  #isReliable(boot: string, aliveAt: number): boolean {
    const absenceMs = Date.now() - aliveAt;
    return boot === this.#boot && absenceMs >= 0 && absenceMs <= this.#options.maxAbsenceMs;
  }

  #run(...queries: readonly Sql[]): void {
    for (const query of queries) this.#statements?.run(query);
  }

  /** Notes that lack one are worse than none: a failure ends the journal, and its file goes. */
  #note(work: () => void): void {
    if (!this.#database) return;
    try {
      work();
    } catch (error) {
      const { file, onFailure } = this.#options;
      clearInterval(this.#heart);
      this.#database.close();
      this.#database = undefined;
      for (const suffix of ['', '-wal', '-shm']) rmSync(file + suffix, { force: true });
      onFailure(error);
    }
  }
}

/** Changes whenever the machine starts; undefined where that cannot be told, which equals nothing noted. */
function bootOf(): string | undefined {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch {
    return undefined;
  }
}
