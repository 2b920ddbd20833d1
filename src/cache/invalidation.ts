import { setTimeout as sleep } from 'node:timers/promises';
import type { Attendance } from '../plan/attendance.ts';
import type { CacheStore } from '../plan/cache-store.ts';
import { dependency } from '../plan/read.ts';
import type { RunDirectory } from '../plan/run-directory.ts';
import type { WriteEffect } from '../plan/write-effect.ts';

export interface InvalidationOptions {
  readonly store: CacheStore;
  readonly directory: RunDirectory;
  /** Asks the backend which experiment a run belongs to. */
  experimentOf(runId: string): Promise<string | undefined>;
  /** Gateways that read from the same store. */
  attendance?(): Attendance | undefined;
  /** Told when the store could not be told of a write, and when it could again. */
  onOutage?(out: boolean): void;
}

/** Between attempts to tell a store that failed, in ms. */
const RETRY_MS = 250;
/** So often a store that others read from is tried to be told, before all of them have to do without. */
const WARNING_TURNS = 4;
/** How long the backend may still carry out a write whose answer was lost, in ms. */
const UNCERTAIN_MS = 300_000;
/** More names than this are said shorter: everything. */
const MAX_UNTOLD = 1_000;
/** Lookups of runs at once; what is beyond is looked up at its next write. */
const MAX_LOOKUPS = 8;
/** How long a write waits to be told which experiment its run belongs to, before it makes everything unreachable, in ms. */
const LOOKUP_MS = 1_000;

/**
 * Makes stored answers unreachable when a write changed what they say. What the store could not be told is remembered
 * and told again until it takes it; until then `trusts` says no, and nothing is read from the store.
 */
export class Invalidation {
  readonly #options: InvalidationOptions;
  /** Names the store must still be told, with the number of the failure that put them here last. */
  readonly #untold = new Map<string, number>();
  readonly #uncertain = new Map<string, number>();
  readonly #lookups = new Map<string, Promise<void>>();
  #failures = 0;
  #isOut = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: InvalidationOptions) {
    this.#options = options;
  }

  /** Whether stored answers that depend on these names are as good as the store's word. */
  trusts(names: readonly string[]): boolean {
    if (this.#untold.size === 0 && this.#uncertain.size === 0) return true;
    return !names.some((name) => this.#untold.has(name) || this.#uncertain.has(name));
  }

  /** Begins to find out what a write that is about to be sent will change. */
  expect({ runs }: WriteEffect): void {
    for (const runId of this.#strangersAmong(runs)) void this.#lookUp(runId);
  }

  /**
   * Returns when no answer from before the write can be read any more. Takes as long as the store's time limit, and as others
   * take to see that it was not told, and a second more where nobody can tell the experiment of a run. Never throws.
   */
  async apply(effect: WriteEffect): Promise<void> {
    const strangers = this.#strangersAmong(effect.runs);
    if (strangers.length > 0) await Promise.all(strangers.map((runId) => this.#lookUp(runId)));
    const names = this.#namesOf(effect);
    if (names.length === 0) return;
    if (effect.uncertain) this.#doubt(names);
    try {
      await this.#options.store.bump(names, this.#life);
      await this.#options.attendance?.()?.untilLeft();
    } catch (error) {
      this.#remember(names);
      await this.#warn(error as Error);
    }
  }

  get #life(): string | undefined {
    return this.#options.attendance?.()?.life;
  }

  /** Returns when no other gateway reads from the store what it should not. */
  async #warn(error: Error): Promise<void> {
    const attendance = this.#options.attendance?.();
    if (!attendance || attendance.isAlone) return;
    for (let turn = 0; turn < WARNING_TURNS && attendance.joined; turn++) {
      await sleep(RETRY_MS);
      try {
        await this.tell();
        return await attendance.untilLeft();
      } catch {
        // Not yet.
      }
    }
    await attendance.withdraw(error);
  }

  /** Tells the store what it could not be told, in the life that others read in. @throws when it still cannot. */
  async tell(life = this.#life): Promise<void> {
    if (this.#untold.size === 0) return;
    const told = [...this.#untold];
    await this.#options.store.bump(
      told.map(([name]) => name),
      life,
    );
    // A name that failed again meanwhile stays: that write may be younger than this telling.
    for (const [name, failure] of told) if (this.#untold.get(name) === failure) this.#untold.delete(name);
    if (this.#untold.size === 0) this.#sayOut(false);
  }

  close(): void {
    clearTimeout(this.#timer);
  }

  #namesOf(effect: WriteEffect): string[] {
    const names = new Set<string>();
    if (effect.unknown) names.add(dependency.backend);
    if (effect.experimentsChanged || effect.createdExperiments.length > 0) names.add(dependency.experiments);
    if (effect.permissionsChanged) names.add(dependency.permissions);
    for (const id of effect.experimentsWithChangedRuns) names.add(dependency.runsOf(id));
    for (const { runId, experimentId = this.#options.directory.experimentOf(runId) } of effect.runs) {
      names.add(dependency.run(runId));
      names.add(experimentId === undefined ? dependency.backend : dependency.runsOf(experimentId));
    }
    return [...names];
  }

  /** Runs whose experiment is not known. */
  #strangersAmong(runs: WriteEffect['runs']): string[] {
    const { directory } = this.#options;
    const strangers = runs.filter(({ runId, experimentId }) => !(experimentId ?? directory.experimentOf(runId)));
    return strangers.map(({ runId }) => runId);
  }

  /** Returns when the directory knows the run, or nobody can tell in time. */
  async #lookUp(runId: string): Promise<void> {
    if (this.#lookups.size >= MAX_LOOKUPS && !this.#lookups.has(runId)) return;
    const lookup = this.#lookups.get(runId) ?? this.#ask(runId);
    this.#lookups.set(runId, lookup);
    await Promise.race([lookup, sleep(LOOKUP_MS, undefined, { ref: false })]);
  }

  async #ask(runId: string): Promise<void> {
    const { directory, experimentOf } = this.#options;
    try {
      const experimentId = await experimentOf(runId);
      if (experimentId !== undefined) directory.learn(runId, experimentId);
    } catch {
      // Nobody can tell.
    } finally {
      this.#lookups.delete(runId);
    }
  }

  #doubt(names: readonly string[]): void {
    const until = performance.now() + UNCERTAIN_MS;
    for (const name of names) this.#uncertain.set(name, until);
    this.#schedule();
  }

  #remember(names: readonly string[]): void {
    this.#sayOut(true);
    this.#failures++;
    const all = this.#untold.size + names.length > MAX_UNTOLD;
    if (all) this.#untold.clear();
    for (const name of all ? [dependency.backend] : names) this.#untold.set(name, this.#failures);
    this.#schedule();
  }

  #sayOut(out: boolean): void {
    if (out !== this.#isOut) this.#options.onOutage?.(out);
    this.#isOut = out;
  }

  #schedule(): void {
    this.#timer ??= setTimeout(() => void this.#retry(), RETRY_MS).unref();
  }

  async #retry(): Promise<void> {
    this.#settleDoubts();
    try {
      await this.tell();
    } catch {
      // Told again at the next turn.
    }
    this.#timer = undefined;
    if (this.#untold.size > 0 || this.#uncertain.size > 0) this.#schedule();
  }

  /** A doubt ends like a write: with generations that no answer from before has. */
  #settleDoubts(): void {
    for (const [name, until] of this.#uncertain) {
      if (performance.now() < until) continue;
      this.#untold.set(name, this.#failures);
      this.#uncertain.delete(name);
    }
  }
}
