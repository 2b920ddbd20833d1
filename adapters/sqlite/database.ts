import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { GatewayError } from '../../src/errors/gateway-error.ts';

/** A kind of file: a number that marks it as ours, and one script a schema version, each from the version before. */
export interface FileKind {
  readonly name: string;
  /** SQLite's `application_id`. */
  readonly applicationId: number;
  readonly migrations: readonly string[];
  /** Whether a transaction, once it has ended, outlives a power failure; it outlives the end of the process anyway. */
  readonly durable: boolean;
  /** How long to wait for another connection's transaction, in ms; ten seconds unless said. */
  readonly waitMs?: number;
}

const WAIT_MS = 10_000;
const CACHE_KIB = 8_192;

/**
 * Opens a database file for writing, creates it when there is none, and brings it to the newest schema in a transaction.
 * @throws GatewayError when it is damaged, of another kind, or of a newer version: it is left as it is.
 */
export function openForWriting(path: string, kind: FileKind): DatabaseSync {
  mkdirSync(dirname(path), { recursive: true });
  return guard(path, () => {
    const database = connect(path, { readOnly: false, waitMs: kind.waitMs });
    try {
      database.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = ${kind.durable ? 'FULL' : 'NORMAL'}`);
      migrate(database, path, kind);
      return database;
    } catch (error) {
      database.close();
      throw error;
    }
  });
}

/** Opens a file that {@link openForWriting} has brought up to date. */
export const openForReading = (path: string): DatabaseSync => guard(path, () => connect(path, { readOnly: true }));

function connect(
  path: string,
  { readOnly, waitMs = WAIT_MS }: { readonly readOnly: boolean; readonly waitMs?: number | undefined },
): DatabaseSync {
  const database = new DatabaseSync(path, { readOnly, timeout: waitMs, enableForeignKeyConstraints: true });
  database.exec(`PRAGMA cache_size = -${CACHE_KIB}; PRAGMA temp_store = MEMORY`);
  return database;
}

/** Runs `work` in a transaction that takes the write lock at once, so that it never fails half-way for want of it. */
export function transact<T>(database: DatabaseSync, work: () => T): T {
  database.exec('BEGIN IMMEDIATE');
  try {
    const result = work();
    database.exec('COMMIT');
    return result;
  } catch (error) {
    if (database.isTransaction) database.exec('ROLLBACK');
    throw error;
  }
}

function migrate(database: DatabaseSync, path: string, { name, applicationId, migrations }: FileKind): void {
  const id = pragma(database, 'application_id');
  const version = pragma(database, 'user_version');
  const tables = Number(database.prepare('SELECT count(*) AS count FROM sqlite_schema').get()?.count);
  if (id !== applicationId && (id !== 0 || tables > 0)) throw refusal(path, `is no ${name} of this gateway`);
  if (version > migrations.length)
    throw refusal(path, `was written by a newer gateway: its schema is ${version}, ${migrations.length} is known here`);
  if (version === migrations.length) return;
  transact(database, () => {
    // Another process may have been faster.
    const from = pragma(database, 'user_version');
    for (const script of migrations.slice(from)) database.exec(script);
    database.exec(`PRAGMA application_id = ${applicationId}; PRAGMA user_version = ${migrations.length}`);
  });
}

const pragma = (database: DatabaseSync, name: 'application_id' | 'user_version'): number =>
  Number(database.prepare(`PRAGMA ${name}`).get()?.[name]);

/** SQLite's primary result codes for a file that cannot be trusted. */
const DAMAGED = new Set([11, 26]);

function guard<T>(path: string, open: () => T): T {
  try {
    return open();
  } catch (error) {
    const code = (error as { errcode?: number }).errcode;
    if (code !== undefined && DAMAGED.has(code & 0xff)) throw refusal(path, 'is damaged or no SQLite database', error);
    throw error;
  }
}

const refusal = (path: string, problem: string, cause?: unknown) =>
  new GatewayError(
    'INTERNAL_ERROR',
    `The file ${path} ${problem}. It was left as it is: move it away, or name another data folder.`,
    { cause },
  );
