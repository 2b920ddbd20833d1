import { backOff } from '../faults/back-off.ts';

interface Pause {
  readonly failures: number;
  /** In ms of `performance.now()`. */
  readonly until: number;
}

/** Experiments that could not be made ready in time, so that the searches after the first do not wait in vain. */
export class Pauses {
  readonly #firstMs: number;
  readonly #pauses = new Map<string, Pause>();

  constructor(firstMs: number) {
    this.#firstMs = firstMs;
  }

  holds(experimentIds: Iterable<string>): boolean {
    if (this.#pauses.size === 0) return false;
    const now = performance.now();
    for (const id of experimentIds) if ((this.#pauses.get(id)?.until ?? 0) > now) return true;
    return false;
  }

  /** Searches that waited at the same time have failed once. */
  add(experimentIds: Iterable<string>): void {
    const now = performance.now();
    for (const id of experimentIds) {
      const last = this.#pauses.get(id);
      if (last && last.until > now) continue;
      const failures = (last?.failures ?? 0) + 1;
      this.#pauses.set(id, { failures, until: now + backOff(failures, this.#firstMs) });
    }
  }

  remove(experimentIds: Iterable<string>): void {
    if (this.#pauses.size > 0) for (const id of experimentIds) this.#pauses.delete(id);
  }
}
