import type { RunAdapter } from './adapter.ts';

/** A run the index cannot hold exactly (too long a term, a key with a null byte). */
export interface RejectedRun {
  readonly runId: string;
  readonly experimentId: string;
  readonly reason: string;
}

export interface WriteReport {
  /** Runs now in the index at this version. */
  readonly written: number;
  /** Runs the index already held at this version or a newer one: nothing to do. */
  readonly stale: number;
  readonly rejected: readonly RejectedRun[];
}

/**
 * How far the index can be trusted for an experiment: `complete` (every run of it is there), `excluded` (holds a run
 * that the index cannot hold), or absent.
 */
export type Coverage = 'complete' | 'excluded';

/**
 * A runs index as the feed sees it: a disposable copy that says of each experiment whether it is complete.
 *
 * An **epoch** begins when a gateway starts: what an earlier process knew of completeness is void, because writes may
 * have gone past it since. Coverage counts only in the epoch it was recorded in.
 */
export interface RunsIndex extends RunAdapter {
  /** Whether it has ever been prepared; asking makes nothing. @throws GatewayError when that cannot be found out. */
  exists(): Promise<boolean>;
  /** Creates what is missing. Idempotent. @throws GatewayError when the existing index has another mapping version. */
  prepare(): Promise<void>;
  /** The next number of one sequence that all writers of this index share; survives restarts, never goes back. */
  nextVersion(): Promise<number>;
  /**
   * Stores runs (MLflow's own search JSON) under a version taken **before** they were read from the backend, so that an
   * older reading never replaces a newer one. Runs become visible to searches at the next `refresh`.
   * @throws GatewayError when the index did not take a run for a reason that may pass.
   */
  write(runs: readonly string[], version: number): Promise<WriteReport>;
  /**
   * Takes runs out that the backend has no more, under a version taken **before** it was asked. Whatever was read under an
   * older version does not bring them back, however late it is written. As with `write`, seen from the next `refresh` on.
   * @returns how many are out: all but those that were written or taken out at this version or a newer one.
   * @throws GatewayError when the index did not take one out for a reason that may pass.
   */
  remove(runIds: readonly string[], version: number): Promise<number>;
  refresh(): Promise<void>;
  beginEpoch(): Promise<number>;
  /** The current epoch, 0 before the first. */
  epoch(): Promise<number>;
  /** An exclusion stays until the epoch ends, and a record of a later epoch is never replaced by an earlier one's. */
  recordCoverage(experimentIds: readonly string[], coverage: Coverage, epoch: number): Promise<void>;
  /** Coverage of those experiments that have one in this epoch. */
  coverage(experimentIds: readonly string[], epoch: number): Promise<ReadonlyMap<string, Coverage>>;
  /** A word between commands and the gateway that keeps this index, in their own spelling. It goes with the index. */
  note(): Promise<string | undefined>;
  /** Sets the note or removes it, unless it is not `before` any more. @returns whether it is `after` now. */
  replaceNote(before: string | undefined, after: string | undefined): Promise<boolean>;
  /**
   * Another index of the same place, to be filled while this one is used: whoever opens the place finds this one until the
   * other takes over. A place has one of them at a time: preparing it makes it, empty, and removes what an earlier one left.
   */
  beside(): RunsIndex;
  /**
   * The place is this index's from now on, instead of the one that it was made beside, at one stroke. Those who use the
   * other may go on, but not prepare it again. Idempotent.
   */
  takeOver(): Promise<void>;
  /**
   * Deletes the index, and frees its disk. Before it is prepared, one beside another stands for what earlier ones left.
   * Nobody may use it any more. Idempotent.
   */
  destroy(): Promise<void>;
  /** Cheap round trip. @throws when the index cannot be reached. */
  ping(): Promise<void>;
}
