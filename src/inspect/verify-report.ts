import type { Difference } from './confirm-differences.ts';

/** How many runs differ in which way. */
export type DifferenceCounts = Readonly<Record<Difference['kind'], number>>;

/** A difference with as many fields as are to be shown. */
export interface ShownDifference extends Difference {
  readonly moreFields: number;
}

/** What a comparison of the index with its backend found. */
export interface VerifyReport {
  readonly epoch: number;
  /** Whether it ended early: then this is what was found so far. */
  readonly interrupted: boolean;
  readonly comparedExperiments: number;
  readonly comparedRuns: number;
  readonly differences: DifferenceCounts;
  /** Of the experiments that have any. */
  readonly byExperiment: Readonly<Record<string, DifferenceCounts>>;
  /** The first of those that differ. */
  readonly runs: readonly ShownDifference[];
  /** Experiments that the index has no record of, or lost it meanwhile; not compared. */
  readonly notRecorded: readonly string[];
  /** Experiments that the backend answers for in this epoch; not compared. */
  readonly excluded: readonly string[];
  /** Runs that clients wrote to all the time, so that nothing can be said of them. */
  readonly busyRuns: number;
  /** Runs that looked different when it ended early, and were not looked at again. */
  readonly openRuns: number;
}

const NONE: DifferenceCounts = { missing: 0, gone: 0, changed: 0 };

const plus = (a: DifferenceCounts, b: DifferenceCounts): DifferenceCounts => ({
  missing: a.missing + b.missing,
  gone: a.gone + b.gone,
  changed: a.changed + b.changed,
});

/** Gathers differences: counts of all, and the first of them. */
export class DifferenceTally {
  readonly byExperiment: Record<string, DifferenceCounts> = {};
  readonly runs: ShownDifference[] = [];
  readonly #most: number;

  /** @param most runs that are kept, and fields of each */
  constructor(most: number) {
    this.#most = most;
  }

  add(differences: readonly Difference[]): void {
    for (const difference of differences) {
      const { experimentId, kind, fields } = difference;
      const counts = this.byExperiment[experimentId] ?? NONE;
      this.byExperiment[experimentId] = plus(counts, { ...NONE, [kind]: 1 });
      if (this.runs.length === this.#most) continue;
      const shown = fields.slice(0, this.#most);
      this.runs.push({ ...difference, fields: shown, moreFields: fields.length - shown.length });
    }
  }

  get total(): DifferenceCounts {
    return Object.values(this.byExperiment).reduce(plus, NONE);
  }
}
