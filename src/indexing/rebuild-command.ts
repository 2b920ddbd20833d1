import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { RunsIndex } from '../plan/runs-index.ts';
import { NEVER_USED } from './backfill-command.ts';
import type { Progress } from './backfill-progress.ts';
import { type Output, progressLine } from './progress-line.ts';
import { type RebuildNote, readNote, writeNote } from './rebuild-note.ts';

export interface RebuildCommandOptions {
  /** Prepared. */
  readonly index: RunsIndex;
  readonly output: Output;
  readonly signal: AbortSignal;
  /** What is known of a gateway that did not take the request up, for people. */
  describeGateway(): Promise<string>;
  /** How long a gateway may take to begin, in ms. */
  readonly begunWithinMs?: number;
  /** How long nothing may be heard of one that has begun, in ms. */
  readonly silenceMs?: number;
}

export interface RebuildReport {
  readonly experiments: number;
  readonly runs: number;
  readonly ms: number;
}

const POLL_MS = 500;
/** So many looks in vain say that the note is gone. */
const MISSES = 3;

/**
 * Has the gateway that keeps an index rebuild it, and tells how far that is. Returns when the old index is deleted.
 * @throws Error that says what to do when it cannot be done; the signal's reason when it aborts, after which a gateway that
 * has begun goes on.
 */
export async function rebuildCommand(options: RebuildCommandOptions): Promise<RebuildReport> {
  const { index } = options;
  if ((await index.epoch()) === 0) throw new Error(NEVER_USED);
  const begun = performance.now();
  const before = await index.note();
  const busy = readNote(before);
  if (busy && busy.state !== 'done' && busy.state !== 'refused') throw new Error(alreadySince(busy));
  const asked: RebuildNote = { id: randomUUID(), state: 'asked', at: Date.now() };
  if (!(await index.replaceNote(before, writeNote(asked)))) throw new Error(alreadySince(asked));
  const { experimentsDone: experiments = 0, runs = 0 } = (await new Follower(options, asked).follow()) ?? {};
  return { experiments, runs, ms: Math.round(performance.now() - begun) };
}

const alreadySince = ({ at }: RebuildNote) =>
  `A rebuild of this index was asked for already, ${new Date(at).toISOString()} at the latest: wait for its end. When the ` +
  'gateway has stopped meanwhile, start it: it cleans up.';

class Follower {
  readonly #options: RebuildCommandOptions;
  readonly #asked: RebuildNote;
  #last: RebuildNote;
  #heardAt = performance.now();
  /** Looks in a row that did not find the note. */
  #missed = 0;

  constructor(options: RebuildCommandOptions, asked: RebuildNote) {
    this.#options = options;
    this.#asked = asked;
    this.#last = asked;
  }

  /** Gives what was copied. */
  async follow(): Promise<Progress | undefined> {
    const { output } = this.#options;
    const line = progressLine(output);
    let failure: string | undefined;
    while (!this.#isDone()) {
      await this.#pause();
      await this.#look();
      if (this.#last.progress) line.show(this.#last.progress);
      const isNew = this.#last.failure !== failure && this.#last.state !== 'refused';
      if (isNew && this.#last.failure !== undefined) output.write(`\n${this.#last.failure}\n`);
      failure = this.#last.failure;
      if (this.#last.state === 'asked') await this.#giveUpWhenLate();
      this.#giveUpWhenSilent();
    }
    line.end();
    return this.#last.progress;
  }

  /** @throws when it was given up. */
  #isDone(): boolean {
    const { state, failure } = this.#last;
    if (state === 'refused') throw new Error(failure);
    // It may have been looked for in the old index, just when that was deleted.
    if (this.#missed < MISSES) return state === 'done';
    if (state === 'swapped') return true;
    throw new Error(GIVEN_UP);
  }

  async #pause(): Promise<void> {
    const { signal, output } = this.#options;
    try {
      await sleep(POLL_MS, undefined, { signal });
    } catch (error) {
      if (!(await this.#withdraw())) output.write('\nThe gateway goes on with the rebuild.\n');
      throw error;
    }
  }

  async #look(): Promise<void> {
    const { index } = this.#options;
    try {
      // The place changes hands meanwhile.
      await index.prepare();
      const note = readNote(await index.note());
      if (note?.id !== this.#asked.id) {
        this.#missed++;
        return;
      }
      this.#missed = 0;
      if (note.at !== this.#last.at || note.state !== this.#last.state) this.#heardAt = performance.now();
      this.#last = { ...note, progress: note.progress ?? this.#last.progress };
    } catch (error) {
      // It counts as silence.
      this.#last = { ...this.#last, failure: String(error) };
    }
  }

  async #giveUpWhenLate(): Promise<void> {
    const { begunWithinMs = 15_000, describeGateway } = this.#options;
    if (performance.now() - this.#heardAt < begunWithinMs || !(await this.#withdraw())) return;
    throw new Error(`No gateway has begun the rebuild within ${begunWithinMs / 1_000} s. ${await describeGateway()}`);
  }

  #giveUpWhenSilent(): void {
    const { silenceMs = 60_000 } = this.#options;
    if (performance.now() - this.#heardAt < silenceMs) return;
    throw new Error(this.#last.state === 'swapped' ? SILENT_AFTER : SILENT_BEFORE);
  }

  /** False when the gateway has begun. */
  async #withdraw(): Promise<boolean> {
    return this.#options.index.replaceNote(writeNote(this.#asked), undefined).catch(() => false);
  }
}

const GIVEN_UP =
  'The rebuild was given up: the gateway was stopped or started anew, or another one has the index. The old index is as it ' +
  'was. Ask again.';
const SILENT_BEFORE =
  'Nothing was heard of the gateway for a minute. If it has stopped, start it: it removes what is half built. Then ask again.';
const SILENT_AFTER =
  'The new index answers, but nothing was heard of the gateway for a minute: the old one may be there still. The next start ' +
  'removes it.';
