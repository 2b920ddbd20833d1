import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openFeedJournal } from '../../../adapters/sqlite/index.ts';
import { IndexFeed } from '../../../src/indexing/index-feed.ts';
import { IndexRebuild } from '../../../src/indexing/index-rebuild.ts';
import { LiveIndex } from '../../../src/indexing/live-index.ts';
import { rebuildCommand } from '../../../src/indexing/rebuild-command.ts';
import { type RebuildNote, readNote, writeNote } from '../../../src/indexing/rebuild-note.ts';
import type { FeedJournal } from '../../../src/plan/feed-journal.ts';
import { RunDirectory } from '../../../src/plan/run-directory.ts';
import { NO_EFFECT, type WriteEffect } from '../../../src/plan/write-effect.ts';
import { FakeBackend, FakeIndex, Gates, rough, type Weather } from '../../fixtures/fake-runs.ts';
import { Process } from '../../fixtures/process.ts';
import { runQuery } from '../../fixtures/run-query.ts';
import { textsOf } from '../../fixtures/run-reference.ts';
import { Random } from '../../fuzz/random.ts';

const QUICK = { readyMs: 200, coalesceMs: 3, retryMs: 3, trustMs: 10 };
/** Within this time after a process was killed in a rebuild its last word is carried out, and an index deleted for that. */
const AFTERMATH_MS = 500;
const signal = new AbortController().signal;

/**
 * What a process has of an index, for as long as it lives. Of the one in use it prepares whatever has the place by then: the
 * rebuild of a process that was killed may yet end.
 */
function lendIndex(process: Process, first: FakeIndex, onTakeOver?: () => void): FakeIndex {
  let index = first;
  let lent = process.lend(index);
  let follows = onTakeOver === undefined;
  const own: Partial<FakeIndex> = {
    prepare: () => {
      if (follows) index = first.place.current;
      lent = process.lend(index);
      return lent.prepare();
    },
    pushDown: (query) => ({
      ...lent.pushDown(query),
      fetch: (page, within) => lent.pushDown(query).fetch(page, within),
    }),
    beside: () =>
      lendIndex(process, index.beside(), () => {
        follows = false;
      }),
    takeOver: async () => {
      onTakeOver?.();
      await lent.takeOver();
      follows = true;
    },
  };
  return new Proxy(first, { get: (_, name) => Reflect.get(own, name) ?? Reflect.get(lent, name, lent) });
}

/** A gateway's part in it, as a process of its own. */
class Gateway {
  readonly live: LiveIndex;
  readonly rebuild: IndexRebuild;
  readonly journal: FeedJournal;
  readonly resumes: boolean;
  readonly #process = new Process();

  constructor(index: FakeIndex, backend: FakeBackend, file: string, uncertainMs = 30) {
    this.journal = openFeedJournal({
      file,
      maxAbsenceMs: 60_000,
      onFailure: (error) => {
        throw error;
      },
    });
    this.#process.onKill(() => this.journal.close());
    this.resumes = this.journal.unfinished.epoch === index.epochNow;
    const reader = this.#process.lend(backend);
    const directory = new RunDirectory(5);
    this.live = new LiveIndex({
      index: lendIndex(this.#process, index),
      journal: this.#process.lend(this.journal),
      openFeed: (side) => new IndexFeed({ ...side, reader, directory }, { ...QUICK, uncertainMs }),
    });
    this.rebuild = new IndexRebuild({ live: this.live, reader, pollMs: 5, retryMs: 3, onFailure: () => {} });
    this.rebuild.start();
  }

  ready(...ids: string[]): Promise<boolean> {
    return this.live.served.searched.ready(ids, signal);
  }

  kill(): void {
    this.#process.kill();
  }

  async stop(): Promise<void> {
    await this.rebuild.stop();
    await this.live.served.feed.stop(500);
    this.kill();
  }
}

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'rebuild-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const journalFile = () => join(folder, 'journal.sqlite');
const request = (id: string): RebuildNote => ({ id, state: 'asked', at: Date.now() });

async function ask(index: FakeIndex, id: string): Promise<boolean> {
  const before = await index.note();
  return (readNote(before)?.state ?? 'done') === 'done' && index.replaceNote(before, writeNote(request(id)));
}

describe('a rebuild', () => {
  let gates: Gates;
  let backend: FakeBackend;
  let old: FakeIndex;
  let gateway: Gateway;

  beforeEach(() => {
    gates = new Gates();
    backend = new FakeBackend(gates, 10);
    old = new FakeIndex(gates);
    for (let i = 0; i < 8; i++) backend.write(`run${i}`, `${i % 2}`);
    gateway = new Gateway(old, backend, journalFile());
  });

  afterEach(() => gateway.stop());

  const untilReady = () => expect.poll(() => gateway.ready('0', '1'), { interval: 3 }).toBe(true);
  const untilState = (state: string) =>
    expect.poll(() => gateway.rebuild.status?.state, { interval: 1, timeout: 5_000 }).toBe(state);
  const apply = (effect: Partial<WriteEffect>) => void gateway.live.apply({ ...NO_EFFECT, ...effect });

  function change(runId: string): void {
    backend.write(runId, backend.runs.get(runId)?.experimentId ?? '0');
    apply({ runs: [{ runId }] });
  }

  function expectEqual(): void {
    const { index } = gateway.live.served;
    for (const id of ['0', '1']) expect((index as FakeIndex).contentOf(id)).toEqual(backend.contentOf(id));
  }

  it('has another index take the place, with what was written meanwhile, and deletes the one before', async () => {
    await untilReady();
    const release = gates.hold('after scanExperiment');
    await ask(old, 'one');
    await untilState('copying');
    await expect.poll(() => gateway.live.next?.feed.status().epoch).toBeDefined();
    change('run0');
    expect(await gateway.ready('0')).toBe(true);
    expect(old.place.current).toBe(old);
    release();
    await untilState('done');
    expect(old.isThere).toBe(false);
    expect(old.place).toMatchObject({ spare: undefined });
    expect(readNote(await old.place.current.note())).toMatchObject({ id: 'one', state: 'done' });
    await untilReady();
    expectEqual();
    change('run1');
    await untilReady();
    expectEqual();
  });

  it('hears of the end of writes that were under way when it began, and of those whose answer was lost before', async () => {
    await gateway.stop();
    gateway = new Gateway(old, backend, journalFile(), 800);
    await untilReady();
    const ended = gateway.live.expect({ ...NO_EFFECT, runs: [{ runId: 'run0' }], uncertain: true });
    apply({ runs: [{ runId: 'run1' }], uncertain: true });
    await ask(old, 'one');
    await untilState('done');
    expect(await gateway.ready('1')).toBe(false);
    backend.write('run1', '1');
    change('run0');
    ended();
    await expect.poll(() => gateway.live.served.feed.status().uncertainWrites, { timeout: 2_000 }).toBe(0);
    await untilReady();
    expectEqual();
    // Nothing of it is left for the next process to try again.
    gateway.kill();
    const journal = openFeedJournal({ file: journalFile(), maxAbsenceMs: 60_000, onFailure: () => {} });
    expect(journal.unfinished).toMatchObject({ runs: [], experiments: [], writes: [] });
    journal.close();
  });

  it('hands over what the next process has to know', async () => {
    await untilReady();
    const underWay = { ...NO_EFFECT, experimentsWithChangedRuns: ['1'], uncertain: true };
    gateway.live.expect(underWay);
    const release = gates.hold('scanExperiment');
    await ask(old, 'one');
    await expect.poll(() => gateway.live.next?.feed.status().epoch).toBeDefined();
    gates.hold('readRuns');
    change('run0');
    release();
    await untilState('done');
    gateway.kill();
    const journal = openFeedJournal({ file: journalFile(), maxAbsenceMs: 60_000, onFailure: () => {} });
    expect(journal.unfinished).toEqual({
      epoch: old.place.current.epochNow,
      runs: ['run0'],
      experiments: [],
      copiedTo: new Map(),
      hadCompany: false,
      writes: [{ id: expect.any(Number), effect: underWay }],
    });
    journal.close();
  });

  it('lets searches that began in the old index end there, and plans none there any more', async () => {
    await untilReady();
    const { searched } = gateway.live.served;
    expect(await searched.ready(['0'], signal)).toBe(true);
    const release = gates.hold('search');
    const fetching = searched
      .pushDown(runQuery({ experimentIds: ['0'] }))
      .fetch({ limit: 9, from: { offset: 0 } }, signal);
    await ask(old, 'one');
    await untilState('swapped');
    expect(await searched.ready(['0'], signal)).toBe(false);
    expect(searched.lagMs(['0'])).toBeUndefined();
    await sleep(150);
    expect(old.isThere).toBe(true);
    release();
    expect((await fetching).runs).toHaveLength(4);
    await untilState('done');
    expect(old.isThere).toBe(false);
  });

  it('does not wait for an experiment that the old index lacks as well', async () => {
    backend.unreadable.add('run0');
    await untilReady();
    backend.write('late', '2');
    backend.runsEndedAtZero = async (id) => {
      if (id === '2') throw new Error('It cannot be read.');
      return [];
    };
    await ask(old, 'one');
    await untilState('done');
    await untilReady();
  });

  it('is given up when the request is gone, and leaves the old index as it was', async () => {
    await untilReady();
    gates.hold('scanExperiment');
    await ask(old, 'one');
    await untilState('copying');
    await expect.poll(() => old.place.spare?.isThere).toBe(true);
    await old.replaceNote(await old.note(), undefined);
    await expect.poll(() => gateway.rebuild.status).toBeUndefined();
    expect(old.place).toMatchObject({ current: old, spare: undefined });
    expect(await gateway.ready('0')).toBe(true);
  });

  it('is given up when the gateway stops', async () => {
    await untilReady();
    gates.hold('scanExperiment');
    await ask(old, 'one');
    await untilState('copying');
    await expect.poll(() => old.place.spare?.isThere).toBe(true);
    await gateway.stop();
    expect(old.place).toMatchObject({ current: old, spare: undefined });
    expect(await old.note()).toBeUndefined();
  });

  describe('by the command', () => {
    const output = { text: '', write: (text: string) => (output.text += text) };
    const options = () => ({
      index: old.place.current,
      output: output as unknown as NodeJS.WritableStream,
      signal,
      describeGateway: async () => 'None.',
    });

    it('is done when the old index is gone', async () => {
      await untilReady();
      // A command sees the place, whatever index has it.
      const index = new Proxy(old, {
        get: (_, name) => {
          const value = Reflect.get(old.place.current, name, old.place.current);
          return typeof value === 'function' ? value.bind(old.place.current) : value;
        },
      });
      expect(await rebuildCommand({ ...options(), index })).toMatchObject({ experiments: 2, runs: 8 });
      expect(output.text).toContain('2 of 2 experiments, 8 runs');
      expect(old.isThere).toBe(false);
    });

    it('is refused while another one is under way', async () => {
      await untilReady();
      gates.hold('scanExperiment');
      await ask(old, 'one');
      await untilState('copying');
      await expect(rebuildCommand(options())).rejects.toThrow(/asked for already/);
    });

    it('is withdrawn when nobody takes it up, and when it is interrupted', async () => {
      await untilReady();
      await gateway.stop();
      await expect(rebuildCommand({ ...options(), begunWithinMs: 100 })).rejects.toThrow(
        /No gateway has begun.*None\./,
      );
      expect(await old.note()).toBeUndefined();
      const stop = AbortSignal.timeout(100);
      await expect(rebuildCommand({ ...options(), signal: stop })).rejects.toThrow();
      expect(await old.note()).toBeUndefined();
    });
  });
});

/** Clients, a backend and an index in rough weather, with rebuilds and crashes. */
class World {
  readonly random: Random;
  readonly backend: FakeBackend;
  readonly #place: FakeIndex;
  readonly #file: string;
  gateway: Gateway;
  stormy = true;
  searches = 0;
  answered = 0;
  rebuilds = 0;
  crashes = 0;
  resumed = 0;
  #crashedAt = Number.NEGATIVE_INFINITY;
  readonly acknowledged = new Map<string, number>();
  #names = 0;

  constructor(seed: number, file: string) {
    this.random = new Random(seed);
    const weather: Weather = rough(this.random, () => this.stormy);
    this.backend = new FakeBackend(weather);
    this.#place = new FakeIndex(weather);
    this.#file = file;
    for (let i = 0; i < 12; i++) this.backend.write(`old${i}`, `${i % 3}`);
    this.gateway = this.#open();
  }

  get current(): FakeIndex {
    return this.#place.place.current;
  }

  get spare(): FakeIndex | undefined {
    return this.#place.place.spare;
  }

  #open(): Gateway {
    return new Gateway(this.current, this.backend, this.#file);
  }

  crash(): void {
    this.crashes++;
    if (this.gateway.rebuild.status) this.#crashedAt = performance.now();
    this.#count();
    this.gateway.kill();
    this.gateway = this.#open();
    if (this.gateway.resumes) this.resumed++;
  }

  #count(): void {
    const state = this.gateway.rebuild.status?.state;
    if (state === 'swapped' || state === 'done') this.rebuilds++;
  }

  async #write(experimentId: string, runIds: readonly string[], effect: Partial<WriteEffect>, feared = effect) {
    const { gateway } = this;
    const ended = gateway.live.expect({ ...NO_EFFECT, ...feared, uncertain: true });
    await sleep(this.random.int(0, 2));
    for (const id of runIds) this.backend.write(id, experimentId);
    await sleep(this.random.int(0, 3));
    if (gateway === this.gateway) {
      const revisions = runIds.map((id) => this.backend.runs.get(id)?.revision ?? 0);
      void gateway.live.apply({ ...NO_EFFECT, ...effect });
      for (const [i, id] of runIds.entries())
        this.acknowledged.set(id, Math.max(this.acknowledged.get(id) ?? 0, revisions[i] ?? 0));
    }
    ended();
  }

  async write(): Promise<void> {
    const chance = this.random.next();
    const runId = this.random.pick([...this.backend.runs.keys()]);
    const experimentId = this.backend.runs.get(runId)?.experimentId ?? '';
    const name = `${100 + this.#names++}`;
    if (chance < 0.55) await this.#write(experimentId, [runId], { runs: [{ runId }] });
    else if (chance < 0.85)
      await this.#write(
        experimentId,
        [`new${name}`],
        { runs: [{ runId: `new${name}` }] },
        { experimentsWithChangedRuns: [experimentId] },
      );
    else if (chance < 0.9) {
      this.backend.experiments.add(name);
      await this.#write(name, [], { createdExperiments: [name] });
    } else if (chance < 0.94)
      await this.#write(experimentId, this.backend.idsOf(experimentId), { experimentsWithChangedRuns: [experimentId] });
    else if (chance < 0.99) await this.#loseAnswer(runId, experimentId);
    else await this.#write(experimentId, [runId], { unknown: true });
  }

  async #loseAnswer(runId: string, experimentId: string): Promise<void> {
    const { live } = this.gateway;
    const effect = { ...NO_EFFECT, runs: [{ runId }], uncertain: true };
    const ended = live.expect(effect);
    const landing = sleep(this.random.int(0, 20)).then(() => this.backend.write(runId, experimentId));
    await sleep(this.random.int(0, 2));
    void live.apply(effect);
    ended();
    await landing;
  }

  /** A search must find every write acknowledged before it began, and every run that was there from the beginning. */
  async search(): Promise<void> {
    const ids = this.random.some([...this.backend.experiments], this.random.int(1, 2));
    const expected = [...this.acknowledged].filter(([id]) =>
      ids.includes(this.backend.runs.get(id)?.experimentId ?? ''),
    );
    const old = ids.flatMap((id) => this.backend.idsOf(id)).filter((id) => id.startsWith('old'));
    const { searched } = this.gateway.live.served;
    const scan = searched.pushDown(runQuery({ experimentIds: ids }));
    await sleep(this.random.int(0, 2));
    this.searches++;
    if (!(await searched.ready(ids, signal))) return;
    const page = await scan.fetch({ limit: 1_000, from: { offset: 0 } }, signal).catch((error: unknown) => {
      // Then the backend answers.
      const isAftermath = String(error).includes('no such index') && performance.now() - this.#crashedAt < AFTERMATH_MS;
      if (this.stormy || isAftermath) return undefined;
      throw error;
    });
    if (!page) return;
    this.answered++;
    const found = new Map(
      textsOf(page).map((text) => {
        const { info, revision } = JSON.parse(text) as { info: { run_id: string }; revision: number };
        return [info.run_id, revision];
      }),
    );
    for (const id of old) expect(found.has(id), `run ${id} is there`).toBe(true);
    for (const [id, revision] of expected)
      expect(found.get(id) ?? 0, `revision of run ${id}`).toBeGreaterThanOrEqual(revision);
  }

  async settle(): Promise<string[]> {
    this.stormy = false;
    const ids = [...this.backend.experiments];
    const { rebuild } = this.gateway;
    await expect.poll(() => this.gateway.ready(...ids), { timeout: 20_000, interval: 5 }).toBe(true);
    await expect.poll(() => rebuild.status?.state ?? 'done', { timeout: 20_000, interval: 5 }).toBe('done');
    await expect.poll(() => this.gateway.ready(...ids), { timeout: 20_000, interval: 5 }).toBe(true);
    await expect.poll(() => this.spare, { timeout: 20_000 }).toBeUndefined();
    this.#count();
    return ids;
  }
}

describe('rebuilds in rough weather', () => {
  it('lose no write and leave nothing behind', async () => {
    const sum = { searches: 0, answered: 0, rebuilds: 0, crashes: 0, resumed: 0 };
    for (let seed = 1; seed <= Number(process.env.FEED_SEEDS ?? 6); seed++) {
      const world = new World(seed, join(folder, `journal-${seed}.sqlite`));
      const client = async (steps: number) => {
        for (let i = 0; i < steps; i++) {
          if (world.random.chance(0.01)) world.crash();
          else if (world.random.chance(0.05)) await ask(world.current, `${seed}-${i}`).catch(() => false);
          else if (world.random.chance(0.5)) await world.search();
          else await world.write();
          await sleep(world.random.int(0, 6));
          if (i === steps / 2) world.stormy = false;
        }
      };
      await Promise.all([client(80), client(80), client(80)]);
      const ids = await world.settle();
      for (const id of ids) expect(world.current.contentOf(id), `seed ${seed}`).toEqual(world.backend.contentOf(id));
      for (const name of Object.keys(sum) as (keyof typeof sum)[]) sum[name] += world[name];
      await world.gateway.stop();
    }
    expect(sum.answered / sum.searches).toBeGreaterThan(0.1);
    expect(sum.rebuilds).toBeGreaterThan(0);
    expect(sum.resumed).toBeGreaterThan(0);
    if (process.env.FEED_SEEDS) process.stdout.write(`${JSON.stringify(sum)}\n`);
  }, 600_000);
});
