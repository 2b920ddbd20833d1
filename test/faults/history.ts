import type { Run } from '../../src/domain/run.ts';

/** One state of a run and when it may have been the current one, in ms of `performance.now()`. */
export interface Version {
  readonly run: Run;
  /** The path of the write that made it. */
  readonly write: string;
  /** When the write was sent. */
  readonly from: number;
  /** When the next write was acknowledged. */
  until: number;
}

/** A write under way, which ends in one of three ways. */
export interface PendingWrite {
  acknowledge(): void;
  /** It never reached anyone. */
  withdraw(): void;
  /** It may have happened, or may still. */
  doubt(): void;
}

/** All that is known of one run: each is written by one writer, one write after the other. */
export class RunHistory {
  /** The tag that tells whose it is before its id is known. */
  readonly who: string;
  readonly experimentId: string;
  readonly versions: Version[] = [];
  /** Undefined until its creation was acknowledged, or it was seen. */
  runId: string | undefined;
  /** When its creation was acknowledged. */
  #existsFrom = Number.POSITIVE_INFINITY;
  /** From the first write in doubt on, no state is ever certain to be past. */
  #isDoubtful = false;
  #number = 0;

  constructor(who: string, experimentId: string) {
    this.who = who;
    this.experimentId = experimentId;
  }

  /** The state after the last write. */
  get last(): Run | undefined {
    return this.versions.at(-1)?.run;
  }

  /** Another one for every write. */
  nextNumber(): number {
    return ++this.#number;
  }

  /** To be called before the write is sent. */
  begin(run: Run, write: string): PendingWrite {
    const before = this.versions.at(-1);
    const version = { run, write, from: performance.now(), until: Number.POSITIVE_INFINITY };
    this.versions.push(version);
    return {
      acknowledge: () => {
        const now = performance.now();
        if (!before) this.#existsFrom = now;
        else if (!this.#isDoubtful) before.until = now;
      },
      withdraw: () => void this.versions.splice(this.versions.indexOf(version), 1),
      doubt: () => {
        this.#isDoubtful = true;
      },
    };
  }

  mayBeAbsentAt(begin: number): boolean {
    return this.#existsFrom >= begin;
  }

  /** The states that may have been current at some time between; empty before it was created. */
  statesBetween(begin: number, end: number): Run[] {
    const states: Run[] = [];
    for (let i = this.versions.length - 1; i >= 0; i--) {
      const version = this.versions[i] as Version;
      if (version.until < begin) break;
      if (version.from <= end) states.push(version.run);
    }
    return states;
  }
}

/** What was written, by whom, and when. */
export class History {
  readonly #runs = new Map<string, RunHistory>();
  readonly #ofExperiment = new Map<string, RunHistory[]>();

  addExperiment(experimentId: string): void {
    this.#ofExperiment.set(experimentId, []);
  }

  get experimentIds(): string[] {
    return [...this.#ofExperiment.keys()];
  }

  get runs(): Iterable<RunHistory> {
    return this.#runs.values();
  }

  addRun(who: string, experimentId: string): RunHistory {
    const run = new RunHistory(who, experimentId);
    this.#runs.set(who, run);
    this.#ofExperiment.get(experimentId)?.push(run);
    return run;
  }

  /** The history of a run that was seen somewhere. */
  of(run: Run): RunHistory | undefined {
    return this.#runs.get(run.tags.get('who') ?? '');
  }

  runsOf(experimentId: string): readonly RunHistory[] {
    return this.#ofExperiment.get(experimentId) ?? [];
  }
}
