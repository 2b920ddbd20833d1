import type { WriteEffect } from './write-effect.ts';

/** What an earlier process knew and had not finished. */
export interface Unfinished {
  /** The epoch it kept the index in; undefined when its notes may be incomplete, so that the index has to be copied anew. */
  readonly epoch: number | undefined;
  /** Runs that were written to since they were last copied. */
  readonly runs: readonly string[];
  /** Experiments of which any run may have changed since they were last copied. */
  readonly experiments: readonly string[];
  /** Experiments whose copy was under way, each with the start time of the oldest runs that are in the index already. */
  readonly copiedTo: ReadonlyMap<string, bigint>;
  /** Other gateways kept the same index: what they knew is not noted here. */
  readonly hadCompany: boolean;
  /** Writes whose end it did not see: the backend may have carried them out, or may still. To be forgotten by their ids. */
  readonly writes: readonly { readonly id: number; readonly effect: WriteEffect }[];
}

/**
 * What the feed must still know when its process has died. Every method returns when that is safe from the death of the
 * process. None throws: a journal that fails forgets everything, and the next start copies the index anew.
 */
export interface FeedJournal {
  /** Of this gateway, from one process to the next as long as its notes can be relied on; undefined: there is none. */
  readonly id: string | undefined;
  /** What was found at the opening; the same until this process ends. */
  readonly unfinished: Unfinished;
  /**
   * The index is kept in this epoch from now on. Forgets experiments unless it is the epoch it was in before, or `keepsNotes`
   * says that they were noted for this one.
   */
  begin(epoch: number, keepsNotes?: boolean): void;
  /** The index is not kept up any more: it has to be copied anew. */
  end(): void;
  noteRun(runId: string): void;
  forgetRun(runId: string): void;
  noteExperiment(experimentId: string): void;
  forgetExperiment(experimentId: string): void;
  /** Of an experiment that is being copied, newest first, all is in the index that started later than this. */
  noteCopiedTo(experimentId: string, startTime: bigint): void;
  forgetCopiedTo(experimentId: string): void;
  /** Whether other gateways keep the same index from now on. */
  noteCompany(others: boolean): void;
  /** A write is about to happen. @returns what to forget it by */
  noteWrite(effect: WriteEffect): number;
  forgetWrite(id: number): void;
  close(): void;
}

/** Remembers nothing: the index is copied anew at every start. */
export const NO_JOURNAL: FeedJournal = {
  id: undefined,
  unfinished: { epoch: undefined, runs: [], experiments: [], copiedTo: new Map(), hadCompany: false, writes: [] },
  begin: () => {},
  end: () => {},
  noteRun: () => {},
  forgetRun: () => {},
  noteExperiment: () => {},
  forgetExperiment: () => {},
  noteCopiedTo: () => {},
  forgetCopiedTo: () => {},
  noteCompany: () => {},
  noteWrite: () => 0,
  forgetWrite: () => {},
  close: () => {},
};
