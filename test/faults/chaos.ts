import { setTimeout as sleep } from 'node:timers/promises';
import type { Random } from '../fuzz/random.ts';
import type { TargetName } from './options.ts';
import { Tally } from './tally.ts';
import type { Target } from './target.ts';

export interface Fault {
  readonly target: TargetName;
  /** What was done to what: `redis paused`. */
  readonly name: string;
  /** In ms of `performance.now()`; `until` when the service was ready again. */
  readonly from: number;
  until: number;
}

export interface ChaosOptions {
  readonly random: Random;
  readonly targets: readonly Target[];
  /** Resolves when the index answers, or when it is not worth waiting any longer. */
  indexAnswers(signal: AbortSignal): Promise<void>;
}

/** Clients see a fault for a moment longer than it lasts, in ms: connections are made anew, backends asked again. */
const AFTERMATH_MS = 3_000;

/** Strikes one service after the other, with calm in between. */
export class Chaos {
  readonly faults: Fault[] = [];
  readonly counts = new Tally();
  /** Longest time from the end of a fault until the index answered again, in ms, where that was waited for. */
  readonly recoveries = new Map<string, number>();
  readonly #options: ChaosOptions;

  constructor(options: ChaosOptions) {
    this.#options = options;
  }

  /** The fault that is on, or whose aftermath is, at some time between. */
  between(begin: number, end: number): Fault | undefined {
    return this.faults.findLast(({ from, until }) => from <= end && until + AFTERMATH_MS >= begin);
  }

  /** The same, of those that may make a search fail: for index and cache MLflow makes good. */
  excuse(begin: number, end: number): Fault | undefined {
    const here = this.faults.filter(({ from, until }) => from <= end && until + AFTERMATH_MS >= begin);
    return here.find(({ target }) => target === 'mlflow' || target === 'gateway');
  }

  /** Ends with every service up when the signal aborts. @throws when one does not come back. */
  async run(signal: AbortSignal): Promise<void> {
    const { random, targets, indexAnswers } = this.#options;
    while (!signal.aborted && targets.length > 0) {
      await sleep(random.int(1_000, 4_000), undefined, { signal }).catch(() => undefined);
      if (signal.aborted) return;
      const fault = await this.#strike(random.pick(targets));
      // Sometimes the next fault comes before the last one is overcome.
      if (random.chance(0.3)) continue;
      await indexAnswers(signal);
      if (signal.aborted) return;
      const tookMs = performance.now() - fault.until;
      this.recoveries.set(fault.name, Math.max(tookMs, this.recoveries.get(fault.name) ?? 0));
    }
  }

  async #strike(target: Target): Promise<Fault> {
    const { random } = this.#options;
    const kills = random.chance(0.5);
    const name = `${await target.describe()} ${kills ? 'killed' : 'paused'}`;
    const fault: Fault = { name, target: target.name, from: performance.now(), until: Number.POSITIVE_INFINITY };
    this.counts.add(name);
    this.faults.push(fault);
    if (kills) {
      await target.kill();
      await sleep(random.int(0, 3_000));
      await target.revive();
    } else {
      target.pause();
      await sleep(random.int(500, 8_000));
      target.resume();
    }
    fault.until = performance.now();
    return fault;
  }
}
