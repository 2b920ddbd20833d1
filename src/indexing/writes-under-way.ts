import type { WriteEffect } from '../plan/write-effect.ts';

/** Writes that were sent to the backend and whose end is not known yet. */
export class WritesUnderWay {
  readonly #effects = new Set<WriteEffect>();

  /** A write is about to be sent; the result is called when its end is known. */
  begin(effect: WriteEffect): () => void {
    this.#effects.add(effect);
    return () => this.#effects.delete(effect);
  }

  /** Whether one of them may change this run. */
  mayChange(runId: string, experimentId: string): boolean {
    for (const { unknown, runs, experimentsWithChangedRuns } of this.#effects)
      if (unknown || experimentsWithChangedRuns.includes(experimentId) || runs.some((run) => run.runId === runId))
        return true;
    return false;
  }
}
