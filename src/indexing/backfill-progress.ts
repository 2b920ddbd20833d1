/** How far a backfill is. */
export interface Progress {
  readonly experimentsDone: number;
  readonly experiments: number;
  readonly runs: number;
  readonly runsPerSecond: number;
  /** Time left at the pace so far, by experiments; undefined until the first is done. */
  readonly etaMs: number | undefined;
}

/** Counts what a backfill does. */
export class ProgressMeter {
  readonly #begin = performance.now();
  #experimentsDone = 0;
  #runs = 0;

  addRuns(count: number): void {
    this.#runs += count;
  }

  addExperiment(): void {
    this.#experimentsDone++;
  }

  /** The state now, with so many experiments still to do. */
  read(remaining: number): Progress {
    const elapsedMs = Math.max(1, performance.now() - this.#begin);
    const done = this.#experimentsDone;
    return {
      experimentsDone: done,
      experiments: done + remaining,
      runs: this.#runs,
      runsPerSecond: Math.round((this.#runs * 1_000) / elapsedMs),
      etaMs: done > 0 ? Math.round((elapsedMs * remaining) / done) : undefined,
    };
  }
}
