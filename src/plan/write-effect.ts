/** What a write may have changed, as far as its request and answer tell. Naming too much is harmless, too little is not. */
export interface WriteEffect {
  /** Runs whose own data may have changed; the experiment when the answer told it. */
  readonly runs: readonly {
    readonly runId: string;
    readonly experimentId?: string;
  }[];
  /** Experiments that were just created, hence empty. */
  readonly createdExperiments: readonly string[];
  /** Experiments all of whose runs may have changed: deleted or restored. */
  readonly experimentsWithChangedRuns: readonly string[];
  /** Names, tags or stages of experiments may have changed. */
  readonly experimentsChanged: boolean;
  /** What callers may read may have changed. */
  readonly permissionsChanged: boolean;
  /** It cannot be told which runs or experiments changed. */
  readonly unknown: boolean;
  /** The answer never came (time-out, cut connection): the backend may still carry the write out. */
  readonly uncertain: boolean;
}

/** A write that changed nothing. */
export const NO_EFFECT: WriteEffect = {
  runs: [],
  createdExperiments: [],
  experimentsWithChangedRuns: [],
  experimentsChanged: false,
  permissionsChanged: false,
  unknown: false,
  uncertain: false,
};
