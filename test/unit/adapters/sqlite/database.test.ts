import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type FileKind, openForWriting } from '../../../../adapters/sqlite/database.ts';
import { createSqliteIndex } from '../../../../adapters/sqlite/index.ts';

const KIND: FileKind = {
  name: 'test file',
  applicationId: 77,
  migrations: ['CREATE TABLE a (x INTEGER)'],
  durable: true,
};
const SECOND = 'ALTER TABLE a ADD COLUMN y INTEGER DEFAULT 5';

let folder: string;
let count = 0;
const fresh = () => join(folder, `${++count}`, 'file.sqlite');

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'database-'));
});
afterAll(() => rm(folder, { recursive: true }));

const userVersion = (database: DatabaseSync) => database.prepare('PRAGMA user_version').get()?.user_version;

describe('a database file', () => {
  it('is made with its folder, and found again with what it held', () => {
    const path = fresh();
    const made = openForWriting(path, KIND);
    made.exec('INSERT INTO a VALUES (1)');
    made.close();
    const again = openForWriting(path, KIND);
    expect(again.prepare('SELECT x FROM a').get()).toEqual({ x: 1 });
    again.close();
  });

  it('of an older schema is brought forward, with what it held', () => {
    const path = fresh();
    const old = openForWriting(path, KIND);
    old.exec('INSERT INTO a VALUES (1)');
    old.close();
    const migrated = openForWriting(path, { ...KIND, migrations: [...KIND.migrations, SECOND] });
    expect(migrated.prepare('SELECT x, y FROM a').get()).toEqual({ x: 1, y: 5 });
    expect(userVersion(migrated)).toBe(2);
    migrated.close();
  });

  it('stays as it was when it cannot be brought forward', () => {
    const path = fresh();
    openForWriting(path, KIND).close();
    expect(() => openForWriting(path, { ...KIND, migrations: [...KIND.migrations, SECOND, 'NO SQL'] })).toThrow();
    const old = openForWriting(path, KIND);
    expect(userVersion(old)).toBe(1);
    expect(old.prepare('SELECT count(*) AS columns FROM pragma_table_info(?)').get('a')).toEqual({ columns: 1 });
    old.close();
  });

  it.each<[string, (path: string) => void | Promise<void>, RegExp]>([
    [
      'of a newer schema',
      (path) => openForWriting(path, { ...KIND, migrations: [...KIND.migrations, SECOND] }).close(),
      /newer gateway: its schema is 2, 1 is known here/,
    ],
    ['of another kind', (path) => openForWriting(path, { ...KIND, applicationId: 78 }).close(), /is no test file/],
    [
      'of somebody else',
      (path) => {
        openForWriting(path, { ...KIND, applicationId: 0, migrations: [] }).close();
        const other = new DatabaseSync(path);
        other.exec('CREATE TABLE theirs (x)');
        other.close();
      },
      /is no test file/,
    ],
    ['that is no database', (path) => writeFile(path, 'x'.repeat(5_000)), /damaged or no SQLite database/],
  ])('%s is refused, and left as it is', async (_, make, message) => {
    const path = join(folder, `${++count}.sqlite`);
    await make(path);
    const before = join(folder, `${count}.before`);
    await copyFile(path, before);
    expect(() => openForWriting(path, KIND)).toThrow(message);
    expect(await readFile(path)).toEqual(await readFile(before));
  });

  it('that cannot be opened is told to whoever uses the index, with a way out', async () => {
    const path = join(folder, `${++count}.sqlite`);
    await writeFile(path, 'x'.repeat(5_000));
    const index = createSqliteIndex({ file: path });
    await expect(index.prepare()).rejects.toThrow(/left as it is: move it away, or name another data folder/);
    await index.close();
  });
});
