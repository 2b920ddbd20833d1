import { setTimeout as sleep } from 'node:timers/promises';
import { chunksOf } from '../domain/chunks-of.ts';
import type { Run } from '../domain/run.ts';
import { backOff } from '../faults/back-off.ts';
import { retryAfterOf } from '../faults/unavailable.ts';
import { NO_EFFECT, type WriteEffect } from '../plan/write-effect.ts';
import type { CompareOp, Filter, NumberAttribute, StringAttribute } from '../query/ast.ts';
import { allRuns } from '../query/runs-query.ts';
import { tryTimes } from './back-off.ts';
import type { IndexKeeper, KeptIndex } from './index-keeper.ts';
import { holdsAny, type RunShare } from './index-walk.ts';
import { Pace } from './pace.ts';
import { type ComparisonEvents, type ComparisonPorts, type DriftKind, RunComparison } from './run-comparison.ts';
import { Turns } from './turns.ts';

export type PassName = 'quick' | 'open' | 'recent' | 'full';

/** What a pass did. */
export interface PassReport {
  readonly pass: PassName;
  /** When it began. */
  readonly at: string;
  readonly ms: number;
  /** Whether it came to its end. */
  readonly complete: boolean;
  /** Runs that were read from the backend. */
  readonly runs: number;
  /** Runs that the index had otherwise, now repaired. */
  readonly drift: Readonly<Record<DriftKind, number>>;
  /** Experiments that are copied because they are new, or were deleted or restored. */
  readonly experiments: number;
}

export interface ReconcileOptions {
  /** From the beginning of a pass to that of the next, in ms; 0: never. */
  readonly quickEveryMs: number;
  readonly openEveryMs: number;
  readonly recentEveryMs: number;
  /** How long ago a run may have ended that the recent pass looks at, in ms. */
  readonly recentWithinMs: number;
  /** Most of the time that the open and the recent pass take, together: 0 to 1. */
  readonly share: number;
  readonly fullEveryMs: number;
  /** Most runs that the full compare reads a second. */
  readonly fullRunsPerSecond?: number | undefined;
  onPass?(report: PassReport): void;
  /** The index was repaired: answers from before must not be given any more. */
  onRepaired?(effect: WriteEffect): Promise<void>;
}

export interface ReconcilerPorts extends ComparisonPorts {
  readonly keeper: IndexKeeper;
}

export interface ReconcilerOptions extends ReconcileOptions {
  /** Bounds every pass. */
  readonly maxRunsPerSecond?: number | undefined;
  /** First wait after a failure, in ms. */
  readonly retryMs: number;
  onFailure(error: unknown): void;
}

export interface ReconcileStatus {
  /** Since the process started. */
  readonly drift: Readonly<Record<DriftKind, number>>;
  /** The last pass of each kind. */
  readonly passes: Partial<Record<PassName, PassReport>>;
}

/** How far the clocks of clients, whose times runs carry, may be apart from ours. */
const CLOCKS_APART_MS = 120_000;
const EXPERIMENTS_A_SEARCH = 300;
/** The other passes take at most a third of the time, however much there is to read. */
const REST = 2;
/** Attempts at an experiment before the full compare goes on without it. */
const ATTEMPTS = 4;

/** A pass under way. */
interface Pass {
  readonly signal: AbortSignal;
  readonly pace: Pace;
  runs: number;
  experiments: number;
  readonly drift: Record<DriftKind, number>;
}

const noDrift = (): Record<DriftKind, number> => ({ missing: 0, changed: 0, gone: 0 });

/**
 * Finds what was written to the backend past the gateway, and repairs the index. What is seen when:
 * `docs/decisions/009-reconcile.md`.
 */
export class Reconciler {
  readonly #ports: ReconcilerPorts;
  readonly #options: ReconcilerOptions;
  readonly #turns = new Turns();
  readonly #drift = noDrift();
  readonly #passes: Partial<Record<PassName, PassReport>> = {};

  constructor(ports: ReconcilerPorts, options: ReconcilerOptions) {
    this.#ports = ports;
    this.#options = options;
  }

  get status(): ReconcileStatus {
    return { drift: { ...this.#drift }, passes: { ...this.#passes } };
  }

  /** Repeats every pass until the signal aborts. Never rejects. */
  async run({ since, resumed, signal }: KeptIndex): Promise<void> {
    const { quickEveryMs, openEveryMs, recentEveryMs, recentWithinMs, fullEveryMs } = this.#options;
    const { maxRunsPerSecond = Number.POSITIVE_INFINITY, fullRunsPerSecond, share } = this.#options;
    const gently = new Pace(maxRunsPerSecond, share);
    let quickFrom = since - recentWithinMs;
    let recentFrom = quickFrom;
    const quick = async (pass: Pass) => {
      const begun = Date.now();
      await this.#quick(quickFrom, pass);
      quickFrom = begun - CLOCKS_APART_MS;
    };
    const recent = async (pass: Pass) => {
      const begun = Date.now();
      await this.#recent(Math.min(recentFrom, begun - recentWithinMs), pass);
      recentFrom = begun - CLOCKS_APART_MS;
    };
    const atMost = (runsPerSecond = maxRunsPerSecond) => new Pace(Math.min(maxRunsPerSecond, runsPerSecond));
    const repeat = async (name: PassName, everyMs: number, work: (pass: Pass) => Promise<void>, pace: Pace) => {
      // Whoever goes on with an index does not know what happened while nobody kept it.
      const firstMs = resumed ? 0 : everyMs;
      const rest = pace === gently ? 0 : REST;
      if (everyMs > 0)
        await this.#repeat({ firstMs, everyMs, rest, signal }, () => this.#carryOut(name, work, pace, signal));
    };
    await Promise.allSettled([
      repeat('quick', quickEveryMs, quick, atMost()),
      repeat('open', openEveryMs, (pass) => this.#compareComplete(UNFINISHED, pass), gently),
      repeat('recent', recentEveryMs, recent, gently),
      repeat('full', fullEveryMs, (pass) => this.#full(pass), atMost(fullRunsPerSecond)),
    ]);
  }

  /** @throws the signal's reason. */
  async #repeat(
    { firstMs, everyMs, rest, signal }: { firstMs: number; everyMs: number; rest: number; signal: AbortSignal },
    action: () => Promise<void>,
  ): Promise<never> {
    let waitMs = firstMs;
    for (let failures = 0; ; ) {
      await sleep(waitMs, undefined, { signal, ref: false });
      const begun = performance.now();
      try {
        await action();
        failures = 0;
        const ms = performance.now() - begun;
        waitMs = Math.max(everyMs - ms, ms * rest);
      } catch (error) {
        signal.throwIfAborted();
        this.#options.onFailure(error);
        waitMs = retryAfterOf(error) + backOff(++failures, this.#options.retryMs);
      }
    }
  }

  async #carryOut(name: PassName, work: (pass: Pass) => Promise<void>, pace: Pace, signal: AbortSignal): Promise<void> {
    const at = new Date().toISOString();
    const begun = performance.now();
    const pass: Pass = { signal, pace, runs: 0, experiments: 0, drift: noDrift() };
    let complete = false;
    try {
      await work(pass);
      complete = true;
    } finally {
      const { runs, experiments, drift } = pass;
      const ms = Math.round(performance.now() - begun);
      const report = { pass: name, at, ms, complete, runs, drift, experiments };
      this.#passes[name] = report;
      this.#options.onPass?.(report);
    }
  }

  /** Experiments that came, went, or changed their stage; runs that started since. */
  async #quick(from: number, pass: Pass): Promise<void> {
    await this.#survey(pass);
    await this.#compareComplete(between('start_time', from, Date.now() + CLOCKS_APART_MS), pass);
  }

  #recent(from: number, pass: Pass): Promise<void> {
    return this.#compareComplete(between('end_time', from, Date.now() + CLOCKS_APART_MS), pass);
  }

  async #full(pass: Pass): Promise<void> {
    const { coverage, experimentIds } = this.#ports.keeper;
    for (const id of await coverage.findComplete(experimentIds))
      if (coverage.wasComplete([id])) await this.#attempt(() => this.#compareWhole(id, pass), pass.signal);
  }

  async #compareWhole(experimentId: string, pass: Pass): Promise<void> {
    const { reader, keeper } = this.#ports;
    const misread = await reader.runsEndedAtZero(experimentId, undefined, pass.signal);
    if (misread.length > 0) await keeper.exclude([experimentId]);
    else await this.#compare({ experimentIds: [experimentId] }, pass);
  }

  /** What fails for good is left to the next pass. */
  async #attempt(action: () => Promise<void>, signal: AbortSignal): Promise<void> {
    const { retryMs, onFailure } = this.#options;
    await tryTimes(ATTEMPTS, action, { firstMs: retryMs, signal, onFailure });
  }

  async #compareComplete(filter: Filter, pass: Pass): Promise<void> {
    const { coverage, experimentIds } = this.#ports.keeper;
    const ids = await coverage.findComplete(experimentIds);
    for (const some of chunksOf(EXPERIMENTS_A_SEARCH, ids)) await this.#compare({ experimentIds: some, filter }, pass);
  }

  #compare(share: RunShare, pass: Pass): Promise<void> {
    const events: ComparisonEvents = {
      onRead: (runs) => {
        pass.runs += runs;
      },
      onDrift: (kind, runs) => {
        pass.drift[kind] += runs;
        this.#drift[kind] += runs;
      },
      onRejected: (runs) => this.#ports.keeper.exclude(runs.map(({ experimentId }) => experimentId)),
      onRepaired: async (effect) => this.#options.onRepaired?.(effect),
    };
    return new RunComparison(this.#ports, events, this.#turns, share, pass.signal).run(pass.pace);
  }

  async #survey(pass: Pass): Promise<void> {
    const { keeper, reader } = this.#ports;
    const before = keeper.stages;
    const stages = await reader.experimentStages(pass.signal);
    const turned: string[] = [];
    for (const [id, stage] of stages)
      if (before.has(id) && before.get(id) !== stage && (await this.#isStale(id, stage, pass.signal))) turned.push(id);
    const vanished = [...before.keys()].filter((id) => !stages.has(id));
    for (const id of vanished) await this.#compare({ experimentIds: [id] }, pass);
    await keeper.doubt(turned, true);
    const { created, changed } = keeper.learn(stages, vanished);
    pass.experiments += created + turned.length;
    const effect = { experimentsChanged: true, experimentsWithChangedRuns: [...turned, ...vanished] };
    if (changed) await this.#options.onRepaired?.({ ...NO_EFFECT, ...effect });
  }

  /** Whoever deletes or restores an experiment does so to its runs: an index that knows of it holds none in the other stage. */
  async #isStale(experimentId: string, stage: Run['lifecycleStage'], signal: AbortSignal): Promise<boolean> {
    const { keeper, index, refresher } = this.#ports;
    if (keeper.coverage.isDoubted(experimentId)) return true;
    await refresher.show([experimentId]);
    const view = stage === 'deleted' ? 'active' : 'deleted';
    return holdsAny(index, { ...allRuns([experimentId]), view }, signal);
  }
}

const test = (key: StringAttribute | NumberAttribute, op: CompareOp, value: string | bigint): Filter => ({
  kind: 'compare',
  field: { entity: 'attribute', key },
  op,
  value,
});

/** MLflow's filters have no OR, and IN for ids alone. */
const UNFINISHED: Filter = {
  kind: 'and',
  terms: ['FINISHED', 'FAILED', 'KILLED'].map((status) => test('status', '!=', status)),
};

const between = (key: NumberAttribute, from: number, to: number): Filter => ({
  kind: 'and',
  terms: [test(key, '>=', BigInt(from)), test(key, '<=', BigInt(to))],
});
