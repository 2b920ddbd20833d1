import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';

/**
 * The files of one place: two that are its index in turns, the first of which has its name, and a small one that says whose
 * turn it is. Only a rebuild makes the others.
 */
export class IndexPlace {
  readonly #file: string;
  readonly #pointer: string;

  constructor(file: string) {
    this.#file = file;
    this.#pointer = `${file}-current`;
  }

  /** The file that is the index. */
  get current(): string {
    return this.#isSecond() ? this.#second : this.#file;
  }

  /** The file for another index. */
  get other(): string {
    return this.#isSecond() ? this.#file : this.#second;
  }

  /** Makes one of the two the index, at one stroke: a crash leaves the one or the other. */
  moveTo(file: string): void {
    const written = `${this.#pointer}-new`;
    writeFileSync(written, file === this.#second ? SECOND : FIRST);
    renameSync(written, this.#pointer);
  }

  get #second(): string {
    return `${this.#file}-b`;
  }

  #isSecond(): boolean {
    try {
      return readFileSync(this.#pointer, 'utf8') === SECOND;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
      throw error;
    }
  }
}

const FIRST = 'a';
const SECOND = 'b';

/** Deletes a database file and what belongs to it. */
export function removeDatabase(file: string): void {
  for (const suffix of ['', '-wal', '-shm']) rmSync(file + suffix, { force: true });
}
