import type { WriteEffect } from './write-effect.ts';

/** A run with a write that the index may lack. */
export interface RunNote {
  readonly runId: string;
  readonly experimentId?: string | undefined;
}

/** What a gateway has to tell the others before they may rely on the index again. */
export interface Notes {
  readonly runs?: readonly RunNote[];
  /** Experiments of which any run may have changed. */
  readonly doubted?: readonly string[];
  /** Experiments that were just created, and are on record as complete. */
  readonly created?: readonly string[];
  /** Writes without an answer, by the names to settle them with. */
  readonly uncertain?: ReadonlyMap<string, WriteEffect>;
}

/** What others noted or settled since the last time. */
export interface News extends Required<Notes> {
  /** Experiments with runs that were written to the index. */
  readonly written: readonly string[];
  /** Experiments that were copied since they were doubted. */
  readonly trusted: readonly string[];
  /** Names of writes whose end is known now. */
  readonly certain: readonly string[];
}

/**
 * `mine`: to be copied by this gateway, and settled. `others`: another gateway is at it. `settled`: the index has it,
 * to be seen after the next refresh.
 */
export type Claim = 'mine' | 'others' | 'settled';

/** What the ledger tells the feed that takes part in it, and asks it for. */
export interface LedgerMember {
  /** All that this gateway noted and nobody settled, as far as it knows, and every experiment that it knows to be doubted. */
  unsettled(): Notes;
  hear(news: News): void;
  /** Another epoch was agreed, or none is any more. What was doubted in the old one is void, but for `except`. */
  hearEpoch(epoch: number | undefined, except: ReadonlySet<string>): void;
  /** What others wrote to the index may have gone unheard. */
  missed(): void;
  /** The uncertain write of a gateway that never came back. */
  adopt(effect: WriteEffect): void;
  /** This gateway leads from now on, or no more. */
  hearRole(leads: boolean): void;
}

export interface LedgerStatus {
  /** Gateways that take part, as last heard; 0 while this one does not. */
  readonly replicas: number;
  /** Those of them that have not reported in time: until they do, no one answers from the index. */
  readonly missing: number;
  readonly leads: boolean;
}

export interface Successor {
  readonly epoch: number | undefined;
  readonly solitude: number | undefined;
}

/**
 * What the gateways that keep one index know together: which writes it may lack, who copies them, and the epoch it is kept
 * in. Why an answer by it is never older than a write acknowledged by any of them: `docs/decisions/010-replicas.md`.
 */
export interface FeedLedger {
  /**
   * Takes part from now on. Or goes on with another index, which was begun in another epoch: the gateways agree on that one
   * when no other took part in this solitude; else the one they had stands.
   */
  join(member: LedgerMember, successor?: Successor): void;
  /** Whether others may keep the same index. */
  readonly isShared: boolean;
  /** Whether this gateway takes part now. */
  readonly joined: boolean;
  /** A number as long as no other gateway takes part, another one whenever one did in between; undefined while one does. */
  readonly solitude: number | undefined;
  /** Whether this gateway begins epochs, fills the index, and looks for writes past the gateways: one of them does. */
  readonly leads: boolean;
  /** The epoch that all keep the index in; undefined when a new one has to begin. */
  readonly epoch: number | undefined;
  /** Only the one that leads; false when it was not taken, because something else happened meanwhile. */
  begin(epoch: number): Promise<boolean>;
  /** Nothing in the index is known to be right any more. Returns when no other gateway answers from it. Never rejects. */
  void(): Promise<void>;
  /** Returns when no other gateway answers from an index without these. Never rejects; bounded in time. */
  note(notes: Notes): Promise<void>;
  /** Hears what others noted. True: `hear` was told all that any gateway noted before this call. Never rejects. */
  catchUp(): Promise<boolean>;
  /** How old the news is, in ms; undefined when unknown. */
  readonly newsAgeMs: number | undefined;
  /** Takes runs for copying. A reading that begins after it covers every write noted before. @throws when it cannot. */
  claim(runIds: readonly string[]): Promise<ReadonlyMap<string, Claim>>;
  /**
   * These runs, claimed before, are in the index or nowhere; and runs of these experiments were written to it. What was
   * noted again since stays. @throws when it cannot.
   */
  settle(runIds: readonly string[], writtenExperiments: readonly string[]): Promise<void>;
  /** Lets others take these. Never rejects. */
  release(runIds: readonly string[]): Promise<void>;
  /** The experiment was copied after everything that was heard of it. Never rejects. */
  trust(experimentId: string): Promise<void>;
  /** The end of an uncertain write is known. Never rejects. */
  makeCertain(name: string): Promise<void>;
  status(): LedgerStatus | undefined;
  /** Leaves: what is not settled is left to the others. */
  close(): Promise<void>;
}
