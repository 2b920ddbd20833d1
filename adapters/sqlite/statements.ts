import type { DatabaseSync, SQLOutputValue, StatementSync } from 'node:sqlite';
import { LRUCache } from 'lru-cache';
import type { Sql } from './sql.ts';

const MAX_STATEMENTS = 500;

/** A connection with its prepared statements, of which the latest used are kept. Integers come as bigints where they must. */
export class Statements {
  readonly #database: DatabaseSync;
  readonly #prepared = new LRUCache<string, StatementSync>({ max: MAX_STATEMENTS });

  constructor(database: DatabaseSync) {
    this.#database = database;
  }

  all(query: Sql): Record<string, SQLOutputValue>[] {
    return this.#prepare(query).all(...query.values);
  }

  /** The first column of the first row; undefined without a row. */
  value(query: Sql): SQLOutputValue | undefined {
    const row = this.#prepare(query).get(...query.values);
    return row && Object.values(row)[0];
  }

  run(query: Sql): { readonly changes: number } {
    const { changes } = this.#prepare(query).run(...query.values);
    return { changes: Number(changes) };
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
    this.#prepared.set(text, statement);
    return statement;
  }
}
