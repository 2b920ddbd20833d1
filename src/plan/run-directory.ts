import type { LRUCache } from 'lru-cache';
import { lru } from '../domain/lru.ts';

/** Which experiment a run belongs to: it never changes, so what was once seen stays true. Bounded; forgetting is harmless. */
export class RunDirectory {
  readonly #experiments: LRUCache<string, string>;

  constructor(maxRuns = 200_000) {
    this.#experiments = lru(maxRuns);
  }

  experimentOf(runId: string): string | undefined {
    return this.#experiments.get(runId);
  }

  learn(runId: string, experimentId: string): void {
    this.#experiments.set(runId, experimentId);
  }
}
