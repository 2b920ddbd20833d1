import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openFeedJournal } from '../../../adapters/sqlite/index.ts';
import { SideJournal } from '../../../src/indexing/side-journal.ts';
import type { FeedJournal, Unfinished } from '../../../src/plan/feed-journal.ts';
import { NO_EFFECT } from '../../../src/plan/write-effect.ts';

const effect = (id: string) => ({ ...NO_EFFECT, runs: [{ runId: id }] });

let folder: string;
let journal: FeedJournal;
let first: SideJournal;
let second: SideJournal;

function open(): FeedJournal {
  return openFeedJournal({
    file: join(folder, 'journal.sqlite'),
    maxAbsenceMs: 60_000,
    onFailure: (error) => {
      throw error;
    },
  });
}

/** What the next process finds. */
function found(): Unfinished {
  journal.close();
  journal = open();
  return journal.unfinished;
}

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'side-journal-'));
  journal = open();
  first = new SideJournal(journal);
  second = new SideJournal();
  first.begin(1);
  second.begin(2);
  for (const side of [first, second]) side.noteRun('both');
  first.noteRun('of first');
  first.noteExperiment('1');
  first.noteWrite(effect('of first'));
  second.noteRun('of second');
  second.noteRun('copied');
  second.noteExperiment('2');
  second.noteExperiment('copied');
  second.noteWrite(effect('of second'));
});

afterEach(() => {
  journal.close();
  rmSync(folder, { recursive: true });
});

describe('the notes of two feeds', () => {
  it('are in the journal for one of them alone', () => {
    expect(found()).toMatchObject({ epoch: 1, runs: ['both', 'of first'], experiments: ['1'], writes: [{ id: 1 }] });
  });

  it('are those of the other once it succeeds', () => {
    second.forgetRun('copied');
    second.forgetExperiment('copied');
    const settled = second.noteWrite(effect('settled'));
    second.succeed(first);
    second.forgetWrite(settled);
    first.noteRun('late');
    first.forgetRun('both');
    first.end();
    second.noteRun('new');
    second.forgetRun('of second');
    expect(found()).toEqual({
      epoch: 2,
      runs: ['both', 'new'],
      experiments: ['2'],
      copiedTo: new Map(),
      hadCompany: false,
      writes: [{ id: expect.any(Number), effect: effect('of second') }],
    });
  });

  it('say that everything has to be copied anew when the other has no epoch then', () => {
    second.end();
    second.succeed(first);
    expect(found().epoch).toBeUndefined();
  });

  it('are forgotten with their epoch, but for runs and writes', () => {
    second.begin(3);
    second.succeed(first);
    const runs = ['both', 'copied', 'of second'];
    expect(found()).toMatchObject({ epoch: 3, runs, experiments: [], writes: [{ effect: effect('of second') }] });
  });

  it('may be those of an earlier process, which are forgotten by its ids', () => {
    const { writes } = found();
    const taken = new SideJournal(journal);
    taken.noteWrite(effect('again'));
    for (const { id } of writes) taken.forgetWrite(id);
    expect(found().writes.map((write) => write.effect)).toEqual([effect('again')]);
  });
});
