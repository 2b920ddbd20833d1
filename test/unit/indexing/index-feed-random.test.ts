import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { IndexFeed } from '../../../src/indexing/index-feed.ts';
import { RunDirectory } from '../../../src/plan/run-directory.ts';
import { NO_EFFECT, type WriteEffect } from '../../../src/plan/write-effect.ts';
import { FakeBackend, FakeIndex, rough } from '../../fixtures/fake-runs.ts';
import { Random } from '../../fuzz/random.ts';

const QUICK = { readyMs: 200, coalesceMs: 3, retryMs: 3, trustMs: 10, uncertainMs: [4, 12, 30] };
const signal = new AbortController().signal;

/** Clients, a backend and an index in rough weather; the feed between them must keep its two promises. */
class World {
  readonly random: Random;
  readonly backend: FakeBackend;
  readonly index: FakeIndex;
  readonly feed: IndexFeed;
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
    const ports = { index: this.index, reader: this.backend, directory: new RunDirectory(5) };
    this.feed = new IndexFeed(ports, QUICK);
    this.feed.start();
  }

  #experiment(): string {
    return this.random.pick([...this.backend.experiments]);
  }

  #acknowledge(effect: Partial<WriteEffect>, runIds: readonly string[]): void {
    const revisions = runIds.map((id) => this.backend.runs.get(id)?.revision ?? 0);
    this.feed.apply({ ...NO_EFFECT, ...effect });
    for (const [i, id] of runIds.entries())
      this.acknowledged.set(id, Math.max(this.acknowledged.get(id) ?? 0, revisions[i] ?? 0));
  }

  /** Carries a write out, lets time pass as the answer travels, and acknowledges it. */
  async #write(experimentId: string, runIds: readonly string[], effect: Partial<WriteEffect>): Promise<void> {
    for (const id of runIds) this.backend.write(id, experimentId);
    await sleep(this.random.int(0, 3));
    this.#acknowledge(effect, runIds);
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
    return this.#write(experimentId, [runId], {
      runs: [this.random.chance(0.5) ? { runId } : { runId, experimentId }],
    });
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
  readonly #changeStrangely = async () => {
    this.#hadStrangeRun = true;
    this.backend.write('old0', '0', true);
    await sleep(this.random.int(0, 3));
    this.#acknowledge({ runs: [{ runId: 'old0' }] }, ['old0']);
  };

  /** The answer is lost, and the backend carries the write out later. */
  readonly #loseAnswer = async () => {
    const [runId, experimentId] = this.#anyRun();
    const landing = sleep(this.random.int(0, 20)).then(() => this.backend.write(runId, experimentId));
    const effect = this.random.chance(0.7) ? { runs: [{ runId }] } : { experimentsWithChangedRuns: [experimentId] };
    this.feed.apply({ ...NO_EFFECT, ...effect, uncertain: true });
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
    for (let seed = 1; seed <= Number(process.env.FEED_SEEDS ?? 8); seed++) {
      const world = new World(seed);
      const client = async (steps: number) => {
        for (let i = 0; i < steps; i++) {
          if (world.random.chance(0.5)) await world.search();
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
      await world.feed.stop(1_000);
    }
    expect(answered / searches).toBeGreaterThan(0.1);
    if (process.env.FEED_SEEDS) process.stdout.write(`${answered} of ${searches} searches by the index\n`);
  }, 600_000);
});
