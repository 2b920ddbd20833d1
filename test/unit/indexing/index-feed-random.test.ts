import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { openFeedJournal } from '../../../adapters/sqlite/index.ts';
import { IndexFeed } from '../../../src/indexing/index-feed.ts';
import { RunDirectory } from '../../../src/plan/run-directory.ts';
import { NO_EFFECT, type WriteEffect } from '../../../src/plan/write-effect.ts';
import { FakeBackend, FakeIndex, rough } from '../../fixtures/fake-runs.ts';
import { Process } from '../../fixtures/process.ts';
import { Random } from '../../fuzz/random.ts';

const RECONCILE = { quickEveryMs: 10, recentEveryMs: 0, recentWithinMs: 1_000, fullEveryMs: 15 };
const QUICK = { readyMs: 200, coalesceMs: 3, retryMs: 3, trustMs: 10, uncertainMs: 30, reconcile: RECONCILE };
const signal = new AbortController().signal;

/** Clients, a backend and an index in rough weather; the feed between them must keep its two promises. */
class World {
  readonly random: Random;
  readonly backend: FakeBackend;
  readonly index: FakeIndex;
  readonly #folder = mkdtempSync(join(tmpdir(), 'feed-'));
  feed: IndexFeed;
  #process = new Process();
  /** How often a process went on with what another had copied. */
  resumed = 0;
  stormy = true;
  answeredByIndex = 0;
  searches = 0;
  /** Run id to the newest revision whose write was acknowledged. */
  readonly acknowledged = new Map<string, number>();
  #names = 0;
  #hadStrangeRun = false;

  constructor(seed: number) {
    this.random = new Random(seed);
    const weather = rough(this.random, () => this.stormy);
    this.backend = new FakeBackend(weather);
    this.index = new FakeIndex(weather);
    for (let i = 0; i < 12; i++) this.backend.write(`old${i}`, `${i % 3}`);
    this.feed = this.#open();
  }

  #open(): IndexFeed {
    const journal = openFeedJournal({
      file: join(this.#folder, 'journal.sqlite'),
      maxAbsenceMs: 60_000,
      onFailure: (error) => {
        throw error;
      },
    });
    this.#process = new Process();
    this.#process.onKill(() => journal.close());
    const feed = new IndexFeed(
      {
        index: this.#process.lend(this.index),
        reader: this.#process.lend(this.backend),
        journal: this.#process.lend(journal),
        directory: new RunDirectory(5),
      },
      QUICK,
    );
    if (journal.unfinished.epoch !== undefined) this.resumed++;
    feed.start();
    return feed;
  }

  /** As `kill -9` does, and another start. */
  crash(): void {
    this.#process.kill();
    this.feed = this.#open();
  }

  async end(): Promise<void> {
    await this.feed.stop(1_000);
    this.#process.kill();
    rmSync(this.#folder, { recursive: true });
  }

  #experiment(): string {
    return this.random.pick([...this.backend.experiments]);
  }

  #acknowledge(feed: IndexFeed, effect: Partial<WriteEffect>, runIds: readonly string[]): void {
    // The client's connection broke with the process.
    if (feed !== this.feed) return;
    const revisions = runIds.map((id) => this.backend.runs.get(id)?.revision ?? 0);
    feed.apply({ ...NO_EFFECT, ...effect });
    for (const [i, id] of runIds.entries())
      this.acknowledged.set(id, Math.max(this.acknowledged.get(id) ?? 0, revisions[i] ?? 0));
  }

  /** Carries a write out, lets time pass as the answer travels, and acknowledges it. */
  async #write(
    experimentId: string,
    runIds: readonly string[],
    effect: Partial<WriteEffect>,
    feared: Partial<WriteEffect> = effect,
    strange = false,
  ): Promise<void> {
    const { feed } = this;
    const ended = feed.expect({ ...NO_EFFECT, ...feared, uncertain: true });
    await sleep(this.random.int(0, 2));
    for (const id of runIds) this.backend.write(id, experimentId, strange);
    await sleep(this.random.int(0, 3));
    this.#acknowledge(feed, effect, runIds);
    ended();
  }

  #anyRun(): [runId: string, experimentId: string] {
    const id = this.random.pick([...this.backend.runs.keys()]);
    return [id, this.backend.runs.get(id)?.experimentId ?? ''];
  }

  readonly #changeRun = () => {
    const [runId, experimentId] = this.#anyRun();
    return this.#write(experimentId, [runId], { runs: [{ runId }] });
  };

  readonly #createRun = () => {
    const [runId, experimentId] = [`new${this.#names++}`, this.#experiment()];
    const effect = { runs: [this.random.chance(0.5) ? { runId } : { runId, experimentId }] };
    return this.#write(experimentId, [runId], effect, { experimentsWithChangedRuns: [experimentId] });
  };

  readonly #createExperiment = () => {
    const id = `${100 + this.#names++}`;
    this.backend.experiments.add(id);
    return this.#write(id, [], { createdExperiments: [id] });
  };

  readonly #changeExperiment = () => {
    const id = this.#experiment();
    return this.#write(id, this.backend.idsOf(id), { experimentsWithChangedRuns: [id] });
  };

  readonly #changeUnknown = () => {
    const [runId, experimentId] = this.#anyRun();
    return this.#write(experimentId, [runId], { unknown: true });
  };

  readonly #changeMissing = () => this.#write('', [], { runs: [{ runId: 'missing' }] });

  /** The index cannot hold this one; only in one experiment, to leave some to the index. */
  readonly #changeStrangely = () => {
    this.#hadStrangeRun = true;
    const effect = { runs: [{ runId: 'old0' }] };
    return this.#write('0', ['old0'], effect, effect, true);
  };

  /** The answer is lost, and the backend carries the write out later. */
  readonly #loseAnswer = async () => {
    const [runId, experimentId] = this.#anyRun();
    const { feed } = this;
    const change = this.random.chance(0.7) ? { runs: [{ runId }] } : { experimentsWithChangedRuns: [experimentId] };
    const effect = { ...NO_EFFECT, ...change, uncertain: true };
    const ended = feed.expect(effect);
    const landing = sleep(this.random.int(0, 20)).then(() => this.backend.write(runId, experimentId));
    await sleep(this.random.int(0, 2));
    feed.apply(effect);
    ended();
    await landing;
  };

  async write(): Promise<void> {
    const chance = this.random.next();
    if (chance < 0.55) await this.#changeRun();
    else if (chance < 0.85) await this.#createRun();
    else if (chance < 0.9) await this.#createExperiment();
    else if (chance < 0.94) await this.#changeExperiment();
    else if (chance < 0.96) await this.#changeMissing();
    else if (chance < 0.985) await this.#loseAnswer();
    else if (chance < 0.995) await this.#changeUnknown();
    else await this.#changeStrangely();
  }

  /** A search must find every write acknowledged before it began, in every run of its experiments. */
  async search(): Promise<void> {
    const ids = this.random.some([...this.backend.experiments], this.random.int(1, 2));
    const expected = new Map(
      [...this.acknowledged].filter(([id]) => ids.includes(this.backend.runs.get(id)?.experimentId ?? '')),
    );
    const old = ids.flatMap((id) => this.backend.idsOf(id)).filter((id) => id.startsWith('old'));
    this.searches++;
    if (!(await this.feed.ready(ids, signal))) return;
    this.answeredByIndex++;
    const found = new Map(ids.flatMap((id) => [...this.index.contentOf(id)]));
    for (const id of old) expect(found.has(id), `run ${id} is there`).toBe(true);
    for (const [id, revision] of expected)
      expect(found.get(id) ?? 0, `revision of run ${id}`).toBeGreaterThanOrEqual(revision);
  }

  /** Waits until the index may answer for every experiment but one that ever had a run it cannot hold. */
  async settle(): Promise<string[]> {
    this.stormy = false;
    const ids = [...this.backend.experiments].filter((id) => !(this.#hadStrangeRun && id === '0'));
    await expect
      .poll(() => this.feed.ready(ids, signal), {
        timeout: 5_000,
        interval: 5,
        message: JSON.stringify(this.feed.status()),
      })
      .toBe(true);
    return ids;
  }
}

describe('the feed', () => {
  it('finds every acknowledged write whenever it says ready, and ends with the index equal to the backend', async () => {
    let answered = 0;
    let searches = 0;
    let crashes = 0;
    let resumed = 0;
    for (let seed = 1; seed <= Number(process.env.FEED_SEEDS ?? 8); seed++) {
      const world = new World(seed);
      const client = async (steps: number) => {
        for (let i = 0; i < steps; i++) {
          if (world.random.chance(0.02)) {
            world.crash();
            crashes++;
          } else if (world.random.chance(0.5)) await world.search();
          else await world.write();
          await sleep(world.random.int(0, 6));
          if (i === steps / 2) world.stormy = false;
        }
      };
      await Promise.all([client(60), client(60), client(60)]);
      const ids = await world.settle();
      for (const id of ids) expect(world.index.contentOf(id), `seed ${seed}`).toEqual(world.backend.contentOf(id));
      answered += world.answeredByIndex;
      searches += world.searches;
      resumed += world.resumed;
      await world.end();
    }
    expect(answered / searches).toBeGreaterThan(0.1);
    expect(resumed).toBeGreaterThan(0);
    if (process.env.FEED_SEEDS)
      process.stdout.write(
        `${answered} of ${searches} searches by the index, ${resumed} of ${crashes} crashes resumed\n`,
      );
  }, 600_000);
});
