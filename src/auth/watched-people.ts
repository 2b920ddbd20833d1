import { readFileSync, unwatchFile, watchFile } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { ReadPeople } from './read-users.ts';

/** How often a file is looked at, in ms. By its state, not by events, which mounted and replaced files do not always give. */
const LOOK_MS = 1_000;

/** What a file of people says at the moment. */
export class WatchedPeople<T> {
  readonly #file: string;
  readonly #onProblem: (problem: Error) => void;
  readonly #read: (text: string) => ReadPeople<T>;
  #people: ReadonlyMap<string, T>;

  /** @throws when the file cannot be read. Later, what was last read applies then. */
  constructor(file: string, read: (text: string) => ReadPeople<T>, onProblem: (problem: Error) => void) {
    this.#file = file;
    this.#read = read;
    this.#onProblem = onProblem;
    this.#people = this.#take(readFileSync(file, 'utf8'));
    watchFile(file, { interval: LOOK_MS, persistent: false }, this.#reload);
  }

  get people(): ReadonlyMap<string, T> {
    return this.#people;
  }

  close(): void {
    unwatchFile(this.#file, this.#reload);
  }

  readonly #reload = async (): Promise<void> => {
    try {
      this.#people = this.#take(await readFile(this.#file, 'utf8'));
    } catch (cause) {
      this.#onProblem(new Error(`${this.#file} cannot be read: what it said last applies`, { cause }));
    }
  };

  #take(text: string): ReadonlyMap<string, T> {
    const { people, problems } = this.#read(text);
    if (problems.length > 0) this.#onProblem(new Error(`${this.#file}: ${problems.join('; ')}: left out`));
    return people;
  }
}
