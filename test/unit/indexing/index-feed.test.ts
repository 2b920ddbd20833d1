import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openFeedJournal } from '../../../adapters/sqlite/index.ts';
import { IndexFeed, type IndexFeedOptions } from '../../../src/indexing/index-feed.ts';
import { NO_JOURNAL } from '../../../src/plan/feed-journal.ts';
import { RunDirectory } from '../../../src/plan/run-directory.ts';
import { NO_EFFECT, type WriteEffect } from '../../../src/plan/write-effect.ts';
import { FakeBackend, FakeIndex, Gates } from '../../fixtures/fake-runs.ts';

const signal = new AbortController().signal;
const SLOWLY = 60;

let gates: Gates;
let backend: FakeBackend;
let index: FakeIndex;
let feed: IndexFeed;

beforeEach(() => {
  gates = new Gates();
  backend = new FakeBackend(gates, 10);
  index = new FakeIndex(gates);
  for (let i = 0; i < 8; i++) backend.write(`run${i}`, `${i % 2}`);
});

afterEach(() => feed.stop(50));

function open(options: IndexFeedOptions = {}, journal = NO_JOURNAL): void {
  const quick = { readyMs: 400, coalesceMs: 5, retryMs: 5, trustMs: 5 };
  feed = new IndexFeed({ index, reader: backend, directory: new RunDirectory(), journal }, { ...quick, ...options });
  feed.start();
}

const apply = (effect: Partial<WriteEffect>) => void feed.apply({ ...NO_EFFECT, ...effect });
const ready = (...ids: string[]) => feed.ready(ids, signal);
const untilReady = (...ids: string[]) => expect.poll(() => ready(...ids), { interval: 3 }).toBe(true);
const untilCalled = (name: string) => expect.poll(() => gates.count(name), { interval: 1 }).toBeGreaterThan(0);

/** Changes a run and acknowledges it. */
function change(runId: string): void {
  backend.write(runId, backend.runs.get(runId)?.experimentId ?? '0');
  apply({ runs: [{ runId }] });
}

const expectEqual = (id: string) => expect(index.contentOf(id)).toEqual(backend.contentOf(id));

describe('a search', () => {
  it('waits for the backfill of its experiments', async () => {
    const release = gates.hold('scanExperiment');
    open();
    await untilCalled('scanExperiment');
    expect(await ready('0')).toBe(false);
    release();
    await untilReady('0', '1');
    expectEqual('0');
    expectEqual('1');
  });

  it('finds a write that came just before it', async () => {
    open({ coalesceMs: 10_000 });
    await untilReady('0');
    change('run0');
    expect(await ready('0')).toBe(true);
    expectEqual('0');
  });

  it('finds the second of two writes although a reading begun between them is under way', async () => {
    open();
    await untilReady('0');
    const release = gates.hold('after readRuns');
    change('run0');
    await untilCalled('after readRuns');
    change('run0');
    const answer = ready('0');
    release();
    expect(await answer).toBe(true);
    expectEqual('0');
  });

  it('does not wait for writes that come after it', async () => {
    open({ readyMs: 1_000 });
    await untilReady('0');
    change('run0');
    const timer = setInterval(() => change('run0'), 1);
    expect(await ready('0')).toBe(true);
    clearInterval(timer);
  });

  it('does not wait for writes to other experiments, but for those of runs not known yet', async () => {
    open();
    await untilReady('0', '1');
    const release = gates.hold('experimentOf');
    change('run1');
    expect(await ready('0')).toBe(false);
    release();
    await expect.poll(() => feed.status().dirtyRuns).toBe(0);
    gates.hold('readRuns');
    change('run1');
    expect(await ready('0')).toBe(true);
    expect(await ready('1')).toBe(false);
  });

  it.each(['run4', 'late'])('finds the writes to more runs than may wait: %s', async (last) => {
    open({ maxDirtyRuns: 2 });
    await untilReady('0', '1');
    gates.broken.add('write');
    backend.write('late', '0');
    for (const id of ['run0', 'run1', 'run2', 'run2', last]) change(id);
    expect(feed.status().dirtyRuns).toBe(2);
    expect(await ready('0')).toBe(false);
    gates.broken.delete('write');
    await untilReady('0', '1');
    expectEqual('0');
    expectEqual('1');
  });

  it('has four readings under way at most, however many experiments were written to', async () => {
    const runIds = Array.from({ length: 10 }, (_, i) => `many${i}`);
    const ids = runIds.map((runId) => `of-${runId}`);
    for (const runId of runIds) backend.write(runId, `of-${runId}`);
    open();
    await untilReady(...ids);
    const release = gates.hold('readRuns');
    for (const runId of runIds) change(runId);
    await untilCalled('readRuns');
    await sleep(SLOWLY);
    expect(gates.count('readRuns')).toBe(4);
    release();
    await untilReady(...ids);
    for (const id of ids) expectEqual(id);
  });

  it('does not count a refresh that began before the write was there', async () => {
    open({ readyMs: 2_000 });
    await untilReady('0');
    const release = gates.hold('after refresh');
    change('run0');
    const first = ready('0');
    await expect.poll(() => gates.count('after refresh')).toBeGreaterThan(1);
    change('run2');
    const second = ready('0');
    await expect.poll(() => feed.status().dirtyRuns).toBe(0);
    release();
    expect([await first, await second]).toEqual([true, true]);
    expectEqual('0');
  });

  it('causes no refresh when nothing was written to its experiments', async () => {
    open();
    await untilReady('0', '1');
    change('run1');
    await ready('1');
    const refreshes = gates.count('refresh');
    expect(await ready('0')).toBe(true);
    expect(await ready('1')).toBe(true);
    expect(gates.count('refresh')).toBe(refreshes);
  });
});

describe('how far the index is behind', () => {
  it('is not said before it is complete', async () => {
    const release = gates.hold('scanExperiment');
    open();
    await untilCalled('scanExperiment');
    expect(feed.lagMs(['0'])).toBeUndefined();
    release();
    await untilReady('0');
    expect(feed.lagMs(['0'])).toBe(0);
  });

  it('grows from a write until it is visible, for its experiment', async () => {
    open({ trustMs: 60_000 });
    await untilReady('0', '1');
    const release = gates.hold('readRuns');
    change('run0');
    await untilCalled('readRuns');
    await sleep(20);
    expect(feed.lagMs(['0'])).toBeGreaterThanOrEqual(20);
    expect(feed.lagMs(['1'])).toBe(0);
    gates.hold('refresh');
    release();
    await expect.poll(() => feed.status().dirtyRuns).toBe(0);
    expect(feed.lagMs(['0'])).toBeGreaterThan(0);
  });

  it('ends without a strict search', async () => {
    open({ trustMs: 60_000 });
    await untilReady('0');
    change('run0');
    await expect.poll(() => feed.lagMs(['0'])).toBe(0);
    expectEqual('0');
  });

  it('is not said while a write may still happen', async () => {
    open({ trustMs: 60_000 });
    await untilReady('0', '1');
    apply({ experimentsWithChangedRuns: ['0'], uncertain: true });
    expect([feed.lagMs(['0']), feed.lagMs(['1'])]).toEqual([undefined, 0]);
  });
});

describe('a write', () => {
  it('to one run again and again is read once a round', async () => {
    open({ coalesceMs: 30 });
    await untilReady('0');
    for (let i = 0; i < 100; i++) change('run0');
    await expect.poll(() => feed.status().dirtyRuns).toBe(0);
    expect(gates.count('readRuns')).toBe(1);
    expect(await ready('0')).toBe(true);
    expectEqual('0');
  });

  it('has its version taken before it is read', async () => {
    open();
    await untilReady('0');
    const release = gates.hold('readRuns');
    change('run0');
    await untilCalled('readRuns');
    const later = await index.nextVersion();
    release();
    await expect.poll(() => feed.status().dirtyRuns).toBe(0);
    expect(index.documents.get('run0')?.version).toBeLessThan(later);
  });

  it('to a run that is not there is forgotten', async () => {
    open();
    await untilReady('0');
    apply({ runs: [{ runId: 'nobody' }] });
    await untilReady('0');
    expect(feed.status().dirtyRuns).toBe(0);
  });

  it('in a new experiment is found without a backfill', async () => {
    open();
    await untilReady('0');
    const scans = gates.count('scanExperiment');
    backend.experiments.add('7');
    apply({ createdExperiments: ['7'] });
    backend.write('born', '7');
    apply({ runs: [{ runId: 'born', experimentId: '7' }] });
    await untilReady('7');
    expectEqual('7');
    expect(gates.count('scanExperiment')).toBe(scans);
  });

  it('of which one cannot be read holds up its own experiment only', async () => {
    open();
    await untilReady('0', '1');
    backend.unreadable.add('run0');
    for (const id of backend.runs.keys()) change(id);
    await untilReady('1');
    expect(await ready('0')).toBe(false);
    await expect.poll(() => feed.status().dirtyRuns).toBe(1);
    expect(feed.status().lastFailure?.message).toContain('cannot be read');
    backend.unreadable.clear();
    await untilReady('0');
    expectEqual('0');
  });

  it('is copied before the feed stops', async () => {
    open({ coalesceMs: 10_000 });
    await untilReady('0');
    change('run0');
    await feed.stop();
    expect(index.documents.get('run0')?.revision).toBe(2);
  });
});

describe('a feed that was stopped', () => {
  it('leaves searches to the backend', async () => {
    open();
    await untilReady('0');
    gates.hold('write');
    change('run0');
    const waiting = ready('0');
    await feed.stop(20);
    change('run0');
    expect([await waiting, await ready('0')]).toEqual([false, false]);
  });
});

describe('an index that is slow or dead', () => {
  it('costs a search the bound once and the next ones nothing; nothing is lost', async () => {
    open({ readyMs: 50, retryMs: 500 });
    await untilReady('0', '1');
    const release = gates.hold('write');
    change('run0');
    const begin = performance.now();
    expect(await ready('0')).toBe(false);
    expect(performance.now() - begin).toBeGreaterThan(40);
    const again = performance.now();
    expect(await ready('0')).toBe(false);
    expect(performance.now() - again).toBeLessThan(40);
    expect(await ready('1')).toBe(true);
    release();
    await untilReady('0');
    expectEqual('0');
  });

  it.each(['prepare', 'beginEpoch', 'nextVersion', 'after write', 'refresh', 'recordCoverage', 'coverage'])(
    'is filled once %s works again',
    async (name) => {
      gates.broken.add(name);
      const failures: string[] = [];
      open({ onFailure: (error) => failures.push(String(error)) });
      change('run0');
      await sleep(SLOWLY);
      expect(await ready('0')).toBe(false);
      expect(failures.join()).toContain(name);
      gates.broken.clear();
      await untilReady('0', '1');
      expectEqual('0');
    },
  );

  it('is left alone once another gateway has begun an epoch in it', async () => {
    open();
    await untilReady('0');
    await index.beginEpoch();
    await expect.poll(() => ready('0').then(() => feed.status().superseded)).toBe(true);
    await sleep(SLOWLY);
    expect(await ready('0')).toBe(false);
    expect(await index.epoch()).toBe(2);
  });

  it('is filled anew when it was deleted', async () => {
    open();
    await untilReady('0');
    index.lose();
    await expect.poll(() => ready('0')).toBe(false);
    await untilReady('0', '1');
    expectEqual('0');
    expect(feed.status().superseded).toBe(false);
  });

  it('is filled when it was deleted after it had been prepared', async () => {
    const release = gates.hold('after prepare');
    open();
    await untilCalled('after prepare');
    index.lose();
    release();
    await untilReady('0', '1');
    expectEqual('0');
  });
});

describe('an experiment', () => {
  it('whose runs changed while it was copied is not complete until it was copied again', async () => {
    const finishFirst = gates.hold('after scanExperiment');
    open();
    await untilCalled('after scanExperiment');
    backend.write('run0', '0');
    apply({ experimentsWithChangedRuns: ['0', '1'] });
    const finishSecond = gates.hold('scanExperiment');
    finishFirst();
    await sleep(SLOWLY);
    expect(await ready('0')).toBe(false);
    finishSecond();
    await untilReady('0', '1');
    expectEqual('0');
  });

  it('that is recorded complete by somebody else stays in doubt until it was copied here', async () => {
    open();
    await untilReady('0');
    const release = gates.hold('scanExperiment');
    backend.write('run0', '0');
    apply({ experimentsWithChangedRuns: ['0'] });
    await index.recordCoverage(['0'], 'complete', 1);
    await sleep(SLOWLY);
    expect(await ready('0')).toBe(false);
    release();
    await untilReady('0');
    expectEqual('0');
  });

  it('with a run that the index cannot hold stays with the backend', async () => {
    backend.write('run0', '0', true);
    open();
    await untilReady('1');
    await sleep(SLOWLY);
    expect(await ready('0')).toBe(false);
    expect([...(await index.coverage(['0', '1'], 1))]).toEqual([
      ['0', 'excluded'],
      ['1', 'complete'],
    ]);
  });

  it('that gets such a run while it is copied stays with the backend', async () => {
    const release = gates.hold('after scanExperiment');
    open();
    await untilCalled('after scanExperiment');
    backend.write('run0', '0', true);
    apply({ runs: [{ runId: 'run0' }] });
    await expect.poll(() => feed.status().dirtyRuns).toBe(0);
    release();
    await untilReady('1');
    await sleep(SLOWLY);
    expect(await ready('0')).toBe(false);
  });

  it('that gets such a run goes to the backend', async () => {
    open();
    await untilReady('0');
    backend.write('run0', '0', true);
    apply({ runs: [{ runId: 'run0' }] });
    expect(await ready('0')).toBe(false);
    expect(await ready('1')).toBe(true);
    expect([...(await index.coverage(['0'], 1))]).toEqual([['0', 'excluded']]);
  });
});

describe('a write of unknown effect', () => {
  it('makes nothing complete at once; a burst of them costs one new epoch', async () => {
    open({ retryMs: 30 });
    await untilReady('0', '1');
    const epochs = gates.count('beginEpoch');
    for (const runId of backend.runs.keys()) {
      backend.write(runId, backend.runs.get(runId)?.experimentId ?? '');
      apply({ unknown: true });
      expect(await ready('0')).toBe(false);
    }
    await untilReady('0', '1');
    expectEqual('0');
    expect(gates.count('beginEpoch')).toBe(epochs + 1);
  });

  it('keeps the index away for no longer than copying went on, however often it comes before all is copied', async () => {
    open();
    for (let times = 1; times <= 12; times++) {
      const release = gates.hold('scanExperiment');
      gates.log.length = 0;
      await untilCalled('scanExperiment');
      await sleep(30);
      apply({ unknown: true });
      release();
    }
    await untilReady('0', '1');
  });
});

describe('a write whose answer never came', () => {
  it.each([
    ['of a run', { runs: [{ runId: 'run0' }] }],
    ['of an experiment', { experimentsWithChangedRuns: ['0'] }],
    ['of unknown effect', { unknown: true }],
  ])('%s leaves the search to the backend until it can no longer happen', async (_what, effect) => {
    open({ uncertainMs: 200 });
    await untilReady('0');
    const begin = performance.now();
    apply({ ...effect, uncertain: true });
    await sleep(60);
    expect(await ready('0')).toBe(false);
    backend.write('run0', '0');
    await untilReady('0');
    expect(performance.now() - begin).toBeGreaterThan(195);
    expectEqual('0');
  });

  it('of a run that is not there holds up nothing', async () => {
    open({ uncertainMs: 10_000 });
    await untilReady('0');
    apply({ runs: [{ runId: 'nobody' }], uncertain: true });
    await untilReady('0');
  });

  it('that gets a run which ended at 0 goes to the backend', async () => {
    open();
    await untilReady('0');
    backend.endedAtZero.add('run0');
    backend.write('run0', '0');
    apply({ runs: [{ runId: 'run0' }] });
    expect(await ready('0')).toBe(false);
    expect([...(await index.coverage(['0'], 1))]).toEqual([['0', 'excluded']]);
  });

  it('that gets a run which goes on and yet ended at 0 goes to the backend', async () => {
    open();
    await untilReady('0');
    backend.endedAtZero.add('run0');
    backend.write('run0', '0', false, { status: 'RUNNING' });
    apply({ runs: [{ runId: 'run0' }], experimentsWithChangedRuns: ['0'] });
    expect(await ready('0')).toBe(false);
    // The experiment is copied in the background.
    await expect.poll(async () => [...(await index.coverage(['0'], 1))]).toEqual([['0', 'excluded']]);
    expect(await ready('0')).toBe(false);
  });
});

it('notes a write for the process that comes after, also to a run that was dirty when the epoch began', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'feed-'));
  const openJournal = () =>
    openFeedJournal({ file: join(folder, 'journal.sqlite'), maxAbsenceMs: 60_000, onFailure: () => {} });
  const journal = openJournal();
  open({ retryMs: 1 }, journal);
  await untilReady('0');
  const release = gates.hold('readRuns');
  change('run0');
  await untilCalled('readRuns');
  apply({ unknown: true });
  await expect.poll(() => feed.status().epoch).toBe(2);
  change('run0');
  journal.close();
  const { unfinished } = openJournal();
  expect(unfinished).toMatchObject({ epoch: 2, runs: ['run0'] });
  release();
  rmSync(folder, { recursive: true });
});
