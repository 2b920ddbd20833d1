import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { IndexKeeper } from '../../../src/indexing/index-keeper.ts';
import { OwnLedger } from '../../../src/indexing/own-ledger.ts';
import { NO_JOURNAL } from '../../../src/plan/feed-journal.ts';
import { RunDirectory } from '../../../src/plan/run-directory.ts';
import { FakeBackend, FakeIndex, Gates } from '../../fixtures/fake-runs.ts';

const NOTHING = { doubted: [], trusted: [], created: [] };

let gates: Gates;
let backend: FakeBackend;
let keeper: IndexKeeper;

beforeEach(() => {
  gates = new Gates();
  backend = new FakeBackend(gates, 10);
  for (let i = 0; i < 4; i++) backend.write(`run${i}`, `${i % 2}`);
  keeper = new IndexKeeper({
    index: new FakeIndex(gates),
    reader: backend,
    directory: new RunDirectory(),
    journal: NO_JOURNAL,
    ledger: new OwnLedger(undefined),
    trustMs: 5,
    retryMs: 5,
    onFailure: () => {},
  });
  keeper.start();
});

afterEach(() => keeper.stop());

const untilComplete = (count: number) =>
  expect.poll(() => keeper.coverage.completeCount, { interval: 3 }).toBeGreaterThanOrEqual(count);

describe('experiments that other gateways created', () => {
  it('are copied once, however often they are told of', async () => {
    await untilComplete(2);
    backend.write('new', '2');
    keeper.hear({ ...NOTHING, created: ['0', '2'] });
    await untilComplete(3);
    const scans = gates.count('scanExperiment');
    expect(scans).toBe(3);
    keeper.hear({ ...NOTHING, created: ['0', '1', '2'] });
    backend.write('newest', '3');
    keeper.hear({ ...NOTHING, created: ['3'] });
    await untilComplete(4);
    expect(gates.count('scanExperiment')).toBe(scans + 1);
  });
});
