import type { DatabaseSync, SQLOutputValue, StatementSync } from 'node:sqlite';
import { LRUCache } from 'lru-cache';
import type { Sql } from './sql.ts';

const MAX_STATEMENTS = 500;

/**
 * A connection with its prepared statements, of which the latest used are kept. Integers come out as bigints, so that int64
 * stays exact.
 */
export class Statements {
  readonly #database: DatabaseSync;
  readonly #prepared = new LRUCache<string, StatementSync>({ max: MAX_STATEMENTS });

  constructor(database: DatabaseSync) {
    this.#database = database;
  }

  all<Row>(query: Sql): Row[] {
    return this.#prepare(query).all(...query.values) as Row[];
  }

  /** The first row; undefined without one. */
  get<Row>(query: Sql): Row | undefined {
    return this.#prepare(query).get(...query.values) as Row | undefined;
  }

  /** The first column of the first row; undefined without a row. */
  value(query: Sql): SQLOutputValue | undefined {
    const row = this.get<Record<string, SQLOutputValue>>(query);
    return row && Object.values(row)[0];
  }

  /** @returns how many rows it changed. */
  run(query: Sql): number {
    return Number(this.#prepare(query).run(...query.values).changes);
  }

  /** Runs `read` over one state of the database. */
  inSnapshot<T>(read: () => T): T {
    this.#database.exec('BEGIN');
    try {
      return read();
    } finally {
      this.#database.exec('COMMIT');
    }
  }

  #prepare({ text }: Sql): StatementSync {
    const found = this.#prepared.get(text);
    if (found) return found;
    const statement = this.#database.prepare(text);
    statement.setReadBigInts(true);
    this.#prepared.set(text, statement);
    return statement;
  }
}
