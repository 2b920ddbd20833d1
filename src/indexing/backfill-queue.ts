import { unlessAborted } from '../faults/unless-aborted.ts';

/** Experiments to be copied, each once. */
export class BackfillQueue {
  readonly #first = new Set<string>();
  readonly #later = new Set<string>();
  #arrival = Promise.withResolvers<void>();

  get size(): number {
    return this.#first.size + this.#later.size;
  }

  /** Puts experiments at the end, or before the others: those that were complete a moment ago. */
  add(experimentIds: Iterable<string>, first = false): void {
    for (const id of experimentIds) {
      if (first) this.#later.delete(id);
      if (first) this.#first.add(id);
      else if (!this.#first.has(id)) this.#later.add(id);
    }
    if (this.size > 0) this.#arrival.resolve();
  }

  next(): string | undefined {
    const [id] = this.#first.size > 0 ? this.#first : this.#later;
    if (id === undefined) return undefined;
    this.#first.delete(id);
    this.#later.delete(id);
    return id;
  }

  clear(): void {
    this.#first.clear();
    this.#later.clear();
  }

  /** Resolves when there is something to take. @throws the signal's reason when it aborts first. */
  async filled(signal: AbortSignal): Promise<void> {
    while (this.size === 0) {
      this.#arrival = Promise.withResolvers();
      await unlessAborted(this.#arrival.promise, signal);
    }
  }
}
