import type { RunsIndex } from '../plan/runs-index.ts';

/** Makes what was written visible to searches, with one refresh for all who wait and none when nothing was written. */
export class Refresher {
  readonly #index: Pick<RunsIndex, 'refresh'>;
  readonly #lastWriteTo = new Map<string, number>();
  #writes = 0;
  /** Of the last write that may have been to any experiment. */
  #lastWriteToAny = 0;
  /** Writes up to this one are visible. */
  #visible = 0;
  /** When the oldest write that is not visible was noted, in ms of `performance.now()`. */
  #unseenSince = 0;
  #running: Promise<void> | undefined;

  constructor(index: Pick<RunsIndex, 'refresh'>) {
    this.#index = index;
  }

  /** Runs of this experiment have just been written; undefined: nobody knows of which. */
  noteWrite(experimentId: string | undefined): void {
    if (this.#writes === this.#visible) this.#unseenSince = performance.now();
    const write = ++this.#writes;
    if (experimentId === undefined) this.#lastWriteToAny = write;
    else this.#lastWriteTo.set(experimentId, write);
  }

  /** How long writes to these experiments may have waited to be visible, in ms; 0 when all are. */
  unseenMs(experimentIds: Iterable<string>): number {
    return this.isVisible(experimentIds) ? 0 : Math.ceil(performance.now() - this.#unseenSince);
  }

  isVisible(experimentIds: Iterable<string>): boolean {
    return this.#lastWrite(experimentIds) <= this.#visible;
  }

  /** Resolves when every noted write to these experiments is visible. @throws what the index's refresh throws. */
  async show(experimentIds: Iterable<string>): Promise<void> {
    const needed = this.#lastWrite(experimentIds);
    // A refresh that began before the write was done does not count for it.
    while (this.#visible < needed) {
      this.#running ??= this.#refresh().finally(() => {
        this.#running = undefined;
      });
      await this.#running;
    }
  }

  #lastWrite(experimentIds: Iterable<string>): number {
    let last = this.#lastWriteToAny;
    for (const id of experimentIds) last = Math.max(last, this.#lastWriteTo.get(id) ?? 0);
    return last;
  }

  async #refresh(): Promise<void> {
    const covered = this.#writes;
    const begun = performance.now();
    await this.#index.refresh();
    this.#visible = Math.max(this.#visible, covered);
    this.#unseenSince = begun;
  }
}
