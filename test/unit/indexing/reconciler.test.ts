import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { IndexFeed } from '../../../src/indexing/index-feed.ts';
import type { PassName, PassReport, ReconcileOptions } from '../../../src/indexing/reconciler.ts';
import { RunDirectory } from '../../../src/plan/run-directory.ts';
import { NO_EFFECT, type WriteEffect } from '../../../src/plan/write-effect.ts';
import { FakeBackend, FakeIndex, Gates } from '../../fixtures/fake-runs.ts';

const signal = new AbortController().signal;
const OFF = { quickEveryMs: 0, openEveryMs: 0, recentEveryMs: 0, fullEveryMs: 0, recentWithinMs: 3_600_000, share: 1 };
const QUICK = { quickEveryMs: 5 };
const OPEN = { openEveryMs: 5 };
const RECENT = { recentEveryMs: 5 };
const FULL = { fullEveryMs: 5 };
const HOUR_MS = 3_600_000;

let gates: Gates;
let backend: FakeBackend;
let index: FakeIndex;
let feed: IndexFeed;
let passes: PassReport[];
let failures: unknown[];

beforeEach(() => {
  gates = new Gates();
  backend = new FakeBackend(gates, 3);
  index = new FakeIndex(gates);
  passes = [];
  failures = [];
  for (let i = 0; i < 10; i++) backend.write(`run${i}`, `${i % 2}`, false, { status: 'FINISHED', start_time: i >> 2 });
});

afterEach(() => feed.stop(50));

/** Begins with an index that holds all there is. */
async function open(reconcile: Partial<ReconcileOptions>): Promise<void> {
  feed = new IndexFeed(
    { index, reader: backend, directory: new RunDirectory() },
    {
      ...{ readyMs: 400, coalesceMs: 5, retryMs: 5, trustMs: 5, uncertainMs: 40 },
      reconcile: { ...OFF, onPass: (report) => passes.push(report), ...reconcile },
      onFailure: (error) => failures.push(error),
    },
  );
  feed.start();
  await untilReady('0', '1');
}

const apply = (effect: Partial<WriteEffect>) => void feed.apply({ ...NO_EFFECT, ...effect });
const untilReady = (...ids: string[]) => expect.poll(() => feed.ready(ids, signal), { interval: 3 }).toBe(true);
const drift = () => feed.status().reconcile?.drift;

/** As a search would find it. */
async function held(experimentId: string): Promise<Map<string, number> | undefined> {
  return (await feed.ready([experimentId], signal)) ? index.contentOf(experimentId) : undefined;
}

const untilEqual = (id: string) =>
  expect.poll(() => held(id), { interval: 3, timeout: 3_000 }).toEqual(backend.contentOf(id));

/** So many passes more that begin from now on. */
async function passMore(count: number, name?: PassName): Promise<void> {
  const seen = () => passes.filter(({ pass }) => name === undefined || pass === name).length;
  // One may be under way.
  const last = seen() + count + 1;
  await expect.poll(seen, { interval: 3, timeout: 3_000 }).toBeGreaterThanOrEqual(last);
}

const nothing = { missing: 0, changed: 0, gone: 0 };

describe('the quick pass', () => {
  it('finds new runs by their start, and new experiments', async () => {
    await open(QUICK);
    backend.write('new', '0', false, { status: 'FINISHED', start_time: Date.now(), end_time: 1 });
    backend.write('newer', '7', false, { status: 'FINISHED' });
    await untilEqual('0');
    await untilEqual('7');
    expect(drift()).toEqual({ ...nothing, missing: 1 });
    expect(passes.reduce((sum, { experiments }) => sum + experiments, 0)).toBe(1);
  });

  it.each(['deleted', 'active'] as const)('has an experiment copied anew when its stage turns to %s', async (stage) => {
    const turn = (to: string) => {
      for (const id of backend.idsOf('0')) backend.write(id, '0', false, { lifecycle_stage: to });
      if (to === 'deleted') backend.deletedExperiments.add('0');
      else backend.deletedExperiments.clear();
    };
    if (stage === 'active') turn('deleted');
    await open(QUICK);
    turn(stage);
    await untilEqual('0');
    expect(passes.some(({ experiments }) => experiments === 1)).toBe(true);
    await passMore(2);
    expect(passes.at(-1)?.experiments).toBe(0);
  });

  it('leaves an experiment alone whose stage was changed through the gateway', async () => {
    await open(QUICK);
    for (const id of backend.idsOf('0')) backend.write(id, '0', false, { lifecycle_stage: 'deleted' });
    apply({ experimentsWithChangedRuns: ['0'] });
    await untilEqual('0');
    backend.deletedExperiments.add('0');
    const scans = gates.count('scanExperiment');
    await passMore(2);
    expect(gates.count('scanExperiment')).toBe(scans);
  });

  it('takes out the runs of an experiment that is no more', async () => {
    await open(QUICK);
    for (const id of backend.idsOf('0')) backend.runs.delete(id);
    backend.experiments.delete('0');
    await untilEqual('0');
    expect(drift()).toEqual({ ...nothing, gone: 5 });
  });

  it('does not look at old runs that have ended', async () => {
    await open({ ...QUICK, ...OPEN, ...RECENT });
    backend.write('run0', '0');
    for (const name of ['quick', 'open'] as const) await passMore(3, name);
    await passMore(3, 'recent');
    expect(drift()).toEqual(nothing);
    expect(index.contentOf('0')).not.toEqual(backend.contentOf('0'));
  });
});

describe('the open pass', () => {
  it('finds runs that have not ended, however old, and follows them to their end', async () => {
    await open(OPEN);
    backend.write('open', '0', false, { status: 'RUNNING', start_time: 1 });
    await untilEqual('0');
    backend.write('open', '0');
    await untilEqual('0');
    backend.write('open', '0', false, { status: 'FINISHED', end_time: 2 });
    await untilEqual('0');
    expect(drift()).toEqual({ ...nothing, missing: 1, changed: 2 });
  });

  it('finds runs that were taken up again', async () => {
    await open(OPEN);
    backend.write('run0', '0', false, { status: 'RUNNING' });
    await untilEqual('0');
    expect(drift()).toEqual({ ...nothing, changed: 1 });
  });

  it('finds open runs that are no more', async () => {
    backend.write('open', '0', false, { status: 'SCHEDULED', start_time: 1 });
    await open(OPEN);
    backend.runs.delete('open');
    await untilEqual('0');
    expect(drift()).toEqual({ ...nothing, gone: 1 });
  });

  it('keeps to its share of the time', async () => {
    const pause = async (name: string) => void (name === 'scanRuns' && (await sleep(10)));
    backend = new FakeBackend({ pause, fails: () => false }, 3);
    for (let i = 0; i < 30; i++) backend.write(`open${i}`, `${i % 2}`, false, { status: 'RUNNING', start_time: i });
    await open({ ...OPEN, share: 0.2 });
    await passMore(0);
    expect(passes[0]).toMatchObject({ pass: 'open', complete: true, runs: 30 });
    // Ten pages of 10 ms.
    expect(passes[0]?.ms).toBeGreaterThan(400);
  });
});

describe('the recent pass', () => {
  it('finds changes and ends of runs that ended within its time', async () => {
    for (const [id, ago] of [
      ['late', 0.5],
      ['gone', 0.5],
      ['early', 2],
    ] as const)
      backend.write(id, '0', false, { status: 'FINISHED', end_time: Date.now() - ago * HOUR_MS });
    await open(RECENT);
    backend.write('late', '0', false, { lifecycle_stage: 'deleted' });
    backend.runs.delete('gone');
    await untilEqual('0');
    expect(drift()).toEqual({ ...nothing, changed: 1, gone: 1 });
    backend.write('early', '0');
    await passMore(2);
    expect(drift()).toEqual({ ...nothing, changed: 1, gone: 1 });
  });
});

describe('the full compare', () => {
  it('finds whatever differs, whenever the run was', async () => {
    await open(FULL);
    for (const id of ['run0', 'run4', 'run8']) backend.write(id, '0');
    backend.write('run1', '1', false, { lifecycle_stage: 'deleted' });
    for (const id of ['run2', 'run9']) backend.runs.delete(id);
    for (let i = 0; i < 5; i++) backend.write(`old${i}`, '0', false, { status: 'FINISHED', start_time: i });
    await untilEqual('0');
    await untilEqual('1');
    expect(drift()).toEqual({ missing: 5, changed: 4, gone: 2 });
    await passMore(2);
    expect(drift()).toEqual({ missing: 5, changed: 4, gone: 2 });
    expect(passes.at(-1)).toMatchObject({ pass: 'full', complete: true, runs: 13, drift: nothing });
  });

  it('takes out all runs of an experiment that lost them', async () => {
    await open(FULL);
    for (const id of backend.idsOf('0')) backend.runs.delete(id);
    await untilEqual('0');
    expect(drift()).toEqual({ ...nothing, gone: 5 });
  });

  it('takes fields in another order for no change', async () => {
    await open(FULL);
    backend.reversed = true;
    await passMore(2);
    expect(drift()).toEqual(nothing);
  });

  it('keeps to its bound', async () => {
    const begun = performance.now();
    await open({ ...FULL, fullRunsPerSecond: 50 });
    await passMore(0);
    expect(performance.now() - begun).toBeGreaterThan(100);
  });

  it('leaves experiments to the backend that hold a run which no index can hold', async () => {
    await open(FULL);
    backend.write('run0', '0', true);
    backend.endedAtZero.add('run1');
    const isComplete = () => Promise.all(['0', '1'].map((id) => feed.ready([id], signal)));
    await expect.poll(isComplete, { interval: 3 }).toEqual([false, false]);
    await passMore(1);
    expect(await isComplete()).toEqual([false, false]);
    expect(drift()).toEqual({ ...nothing, changed: 1 });
  });

  it('goes on with the other experiments when one cannot be read', async () => {
    await open(FULL);
    backend.runs.delete('run0');
    backend.unreadable.add('run0');
    backend.write('run1', '1');
    await untilEqual('1');
    expect(failures).not.toEqual([]);
    backend.unreadable.clear();
    await untilEqual('0');
  });
});

describe('what the feed knows of', () => {
  it('is no drift while it waits to be copied', async () => {
    await open(FULL);
    gates.broken.add('readRuns');
    backend.write('run0', '0');
    apply({ runs: [{ runId: 'run0' }] });
    await passMore(2);
    gates.broken.clear();
    await untilEqual('0');
    expect(drift()).toEqual(nothing);
  });

  it('is no drift while its answer is on the way', async () => {
    await open(FULL);
    const ended = feed.expect({ ...NO_EFFECT, runs: [{ runId: 'run0' }], uncertain: true });
    backend.write('run0', '0');
    await passMore(2);
    apply({ runs: [{ runId: 'run0' }] });
    ended();
    await untilEqual('0');
    expect(drift()).toEqual(nothing);
  });

  it('is not replaced by what was read before', async () => {
    await open(FULL);
    const release = gates.hold('after scanRuns');
    const calls = gates.count('after scanRuns');
    await expect.poll(() => gates.count('after scanRuns'), { interval: 1 }).toBeGreaterThan(calls);
    for (const id of backend.idsOf('0')) {
      backend.write(id, '0');
      apply({ runs: [{ runId: id }] });
    }
    await untilEqual('0');
    release();
    await passMore(2);
    expect(index.contentOf('0')).toEqual(backend.contentOf('0'));
    expect(drift()).toEqual(nothing);
  });

  it('is not taken out when it came after the page was read', async () => {
    await open(FULL);
    const release = gates.hold('after scanRuns');
    const calls = gates.count('after scanRuns');
    await expect.poll(() => gates.count('after scanRuns'), { interval: 1 }).toBeGreaterThan(calls);
    for (const experimentId of ['0', '1'])
      for (const at of [0, 1, 2]) {
        backend.write(`${experimentId}-${at}`, experimentId, false, { start_time: at });
        apply({ runs: [{ runId: `${experimentId}-${at}`, experimentId }] });
      }
    await untilEqual('0');
    await untilEqual('1');
    release();
    await passMore(2);
    await untilEqual('0');
    await untilEqual('1');
    expect(drift()).toEqual(nothing);
  });
});

describe('reconciling', () => {
  it('tells of a repair when searches find it', async () => {
    const found: unknown[] = [];
    await open({
      ...FULL,
      onRepaired: async ({ runs }) => {
        const contents = await held('0');
        found.push(...runs.map(({ runId, experimentId }) => [runId, experimentId, contents?.get(runId)]));
      },
    });
    backend.write('run0', '0');
    backend.runs.delete('run2');
    await untilEqual('0');
    await passMore(1);
    expect(found).toEqual(
      expect.arrayContaining([
        ['run0', '0', 2],
        ['run2', '0', undefined],
      ]),
    );
    expect(found).toHaveLength(2);
  });

  it('waits for the backfill', async () => {
    const release = gates.hold('scanExperiment');
    const opened = open({ ...QUICK, ...FULL });
    await expect.poll(() => gates.count('scanExperiment')).toBeGreaterThan(0);
    expect(gates.count('scanRuns')).toBe(0);
    release();
    await opened;
    await passMore(1);
    expect(gates.count('scanRuns')).toBeGreaterThan(0);
  });

  it('can be switched off', async () => {
    await open({});
    backend.write('run0', '0');
    await sleep(50);
    expect(passes).toEqual([]);
    expect(gates.count('scanRuns')).toBe(0);
  });

  it('goes on after failures of either side', async () => {
    await open({ ...QUICK, ...FULL });
    for (const call of ['scanRuns', 'experimentStages', 'search', 'nextVersion', 'after write', 'refresh']) {
      const failed = failures.length;
      gates.broken.add(call);
      backend.write('run0', '0');
      backend.write('run2', '0', false, { status: 'RUNNING' });
      await expect.poll(() => failures.length, { interval: 3, message: call }).toBeGreaterThan(failed);
      gates.broken.clear();
      await untilEqual('0');
    }
  });
});
