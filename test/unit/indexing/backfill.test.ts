import { beforeEach, describe, expect, it } from 'vitest';
import { backfill } from '../../../src/indexing/backfill.ts';
import { backfillCommand } from '../../../src/indexing/backfill-command.ts';
import type { Progress } from '../../../src/indexing/backfill-progress.ts';
import { BackfillQueue } from '../../../src/indexing/backfill-queue.ts';
import { FakeBackend, FakeIndex, Gates } from '../../fixtures/fake-runs.ts';
import { Screen } from '../../fixtures/screen.ts';

let gates: Gates;
let backend: FakeBackend;
let index: FakeIndex;

beforeEach(async () => {
  gates = new Gates();
  backend = new FakeBackend(gates);
  index = new FakeIndex(gates);
  for (let i = 0; i < 20; i++) backend.write(`run${i}`, `${i % 2}`);
  await index.prepare();
});

const { signal } = new AbortController();
const queueOf = (...ids: string[]) => {
  const queue = new BackfillQueue();
  queue.add(ids);
  return queue;
};
const ports = () => ({ index, reader: backend });

describe('backfill', () => {
  it('copies every run of every queued experiment, makes it visible, and records it', async () => {
    const progress: Progress[] = [];
    const onProgress = (now: Progress) => progress.push(now);
    await backfill(ports(), { queue: queueOf('0', '1'), epoch: 7, signal, onProgress });
    for (const id of ['0', '1']) expect(index.contentOf(id)).toEqual(backend.contentOf(id));
    expect([...(await index.coverage(['0', '1'], 7)).values()]).toEqual(['complete', 'complete']);
    expect(progress.at(-1)).toMatchObject({ experimentsDone: 2, experiments: 2, etaMs: 0 });
    expect(progress.at(-1)?.runs).toBeGreaterThanOrEqual(20);
  });

  it('refreshes before it records, and records many small experiments at once', async () => {
    const ids = Array.from({ length: 50 }, (_, i) => `${100 + i}`);
    for (const id of ids) backend.write(`of${id}`, id);
    await backfill(ports(), { queue: queueOf(...ids), epoch: 1, signal });
    expect(gates.log.indexOf('after refresh')).toBeLessThan(gates.log.indexOf('recordCoverage'));
    expect(gates.count('recordCoverage')).toBeLessThan(5);
    expect((await index.coverage(ids, 1)).size).toBe(50);
  });

  it('goes on past an experiment that fails, after some attempts', async () => {
    backend.experiments.add('broken');
    const scan = backend.scanExperiment.bind(backend);
    let attempts = 0;
    backend.scanExperiment = (id, stop) => {
      if (id !== 'broken') return scan(id, stop);
      attempts++;
      throw new Error('no way');
    };
    const failed: unknown[] = [];
    await backfill(ports(), {
      queue: queueOf('broken', '0'),
      epoch: 1,
      signal,
      retryMs: 1,
      onGivenUp: (id, error) => failed.push([id, String(error)]),
    });
    expect(failed).toEqual([['broken', 'Error: no way']]);
    expect(attempts).toBe(4);
    expect([...(await index.coverage(['broken', '0'], 1))]).toEqual([['0', 'complete']]);
  });

  it('records an experiment that holds a run the index rejects as excluded', async () => {
    backend.write('run0', '0', true);
    await backfill(ports(), { queue: queueOf('0', '1'), epoch: 1, signal });
    expect(Object.fromEntries(await index.coverage(['0', '1'], 1))).toEqual({ 0: 'excluded', 1: 'complete' });
  });

  it('records an experiment with a run that ended at 0, which its JSON does not tell, as excluded', async () => {
    backend.endedAtZero.add('run0');
    await backfill(ports(), { queue: queueOf('0', '1'), epoch: 1, signal });
    expect(Object.fromEntries(await index.coverage(['0', '1'], 1))).toEqual({ 0: 'excluded', 1: 'complete' });
  });

  it('never replaces a younger copy of a run', async () => {
    const release = gates.hold('after scanExperiment');
    const copying = backfill(ports(), { queue: queueOf('0'), epoch: 1, signal });
    await expect.poll(() => gates.count('after scanExperiment')).toBe(1);
    backend.write('run18', '0');
    const version = await index.nextVersion();
    await index.write(['{"info":{"run_id":"run18","experiment_id":"0"},"experimentId":"0","revision":2}'], version);
    release();
    await copying;
    expect(index.contentOf('0')).toEqual(backend.contentOf('0'));
  });

  it('takes one version for the pages of a small experiment', async () => {
    await backfill(ports(), { queue: queueOf('0', '1'), epoch: 1, signal });
    expect(gates.count('scanExperiment')).toBeGreaterThan(6);
    expect(gates.count('nextVersion')).toBe(2);
  });

  it('copies an experiment again under a younger version', async () => {
    await backfill(ports(), { queue: queueOf('0'), epoch: 1, signal });
    backend.write('run18', '0');
    await backfill(ports(), { queue: queueOf('0'), epoch: 1, signal });
    expect(index.contentOf('0')).toEqual(backend.contentOf('0'));
  });

  it('tells how far the index has an experiment, and goes on from there', async () => {
    const copiedTo: bigint[] = [];
    const onCopiedTo = (_id: string, startTime: bigint) => copiedTo.push(startTime);
    const options = { epoch: 1, signal, retryMs: 1, onCopiedTo, copiedTo: () => copiedTo.at(-1) };
    gates.broken.add('runsEndedAtZero');
    await backfill(ports(), { ...options, queue: queueOf('0') });
    expect(copiedTo.slice(0, 5)).toEqual([14n, 10n, 6n, 2n, 0n]);
    expect((await index.coverage(['0'], 1)).size).toBe(0);
    gates.broken.clear();
    const scans = gates.count('scanExperiment');
    await backfill(ports(), { ...options, queue: queueOf('0') });
    expect(gates.count('scanExperiment')).toBe(scans + 1);
    expect((await index.coverage(['0'], 1)).get('0')).toBe('complete');
    expect(index.contentOf('0')).toEqual(backend.contentOf('0'));
  });

  it('does not go past a run that the index rejects', async () => {
    backend.write('run10', '0', true);
    const copiedTo: bigint[] = [];
    const onCopiedTo = (_id: string, startTime: bigint) => copiedTo.push(startTime);
    await backfill(ports(), { queue: queueOf('0'), epoch: 1, signal, onCopiedTo });
    expect(copiedTo).toEqual([14n]);
  });

  it('does not tell how far a copy is that does not count any more', async () => {
    const copiedTo: bigint[] = [];
    const onCopiedTo = (_id: string, startTime: bigint) => copiedTo.push(startTime);
    await backfill(ports(), { queue: queueOf('0'), epoch: 1, signal, watch: () => () => false, onCopiedTo });
    expect(copiedTo).toEqual([]);
  });

  it('keeps to a rate', async () => {
    const begin = performance.now();
    await backfill(ports(), { queue: queueOf('0'), epoch: 1, signal, maxRunsPerSecond: 50 });
    expect(performance.now() - begin).toBeGreaterThan(150);
  });

  it('ends when it is told to', async () => {
    const stop = new AbortController();
    const release = gates.hold('after scanExperiment');
    const copying = backfill(ports(), { queue: queueOf('0', '1'), epoch: 1, signal: stop.signal });
    const ended = expect(copying).rejects.toThrow('enough');
    await expect.poll(() => gates.count('after scanExperiment')).toBe(2);
    stop.abort(new Error('enough'));
    release();
    await ended;
    expect((await index.coverage(['0', '1'], 1)).size).toBe(0);
  });
});

describe('the command', () => {
  const run = (output: Screen) => backfillCommand({ ...ports(), output, signal });

  it('says so when no gateway has used the index', async () => {
    const screen = new Screen(false);
    expect(await run(screen)).toBe(1);
    expect(screen.text).toContain('Start one');
    expect(index.documents.size).toBe(0);
  });

  it('tells how far it is, in plain lines', async () => {
    await index.beginEpoch();
    const screen = new Screen(false);
    expect(await run(screen)).toBe(0);
    expect(screen.text).toMatch(/^2 of 2 experiments, \d+ runs \(\d+\/s\)\n$/);
    expect((await index.coverage(['0', '1'], 1)).size).toBe(2);
  });

  it('rewrites one line on a terminal', async () => {
    await index.beginEpoch();
    const screen = new Screen(true);
    await run(screen);
    expect(screen.text.startsWith('\r\u001b[K2 of 2 experiments')).toBe(true);
  });

  it('names what the backend goes on answering for, and fails', async () => {
    backend.write('run0', '0', true);
    await index.beginEpoch();
    const screen = new Screen(false);
    expect(await run(screen)).toBe(1);
    expect(screen.text).toContain('Experiment 0 has a run that the index cannot hold');
  });

  it('fails when a gateway began anew meanwhile', async () => {
    await index.beginEpoch();
    const release = gates.hold('after scanExperiment');
    const screen = new Screen(false);
    const running = run(screen);
    await expect.poll(() => gates.count('after scanExperiment')).toBeGreaterThan(0);
    await index.beginEpoch();
    release();
    expect(await running).toBe(1);
    expect(screen.text).toContain('A gateway began anew');
    expect((await index.coverage(['0', '1'], 2)).size).toBe(0);
  });
});
