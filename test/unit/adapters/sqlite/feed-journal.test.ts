import { existsSync } from 'node:fs';
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openFeedJournal } from '../../../../adapters/sqlite/index.ts';
import type { FeedJournal } from '../../../../src/plan/feed-journal.ts';
import { NO_EFFECT } from '../../../../src/plan/write-effect.ts';

const NOTHING = { epoch: undefined, runs: [], experiments: [], copiedTo: new Map(), hadCompany: false, writes: [] };
const EFFECT = { ...NO_EFFECT, runs: [{ runId: 'w' }], uncertain: true };

let folder: string;
let count = 0;
let failures: unknown[] = [];
const opened: FeedJournal[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'journal-'));
});
afterAll(async () => {
  for (const journal of opened) journal.close();
  await rm(folder, { recursive: true });
});

const fresh = () => join(folder, `${++count}`, 'journal.sqlite');

function open(file: string, maxAbsenceMs = 60_000): FeedJournal {
  failures = [];
  const journal = openFeedJournal({ file, maxAbsenceMs, onFailure: (error) => failures.push(error) });
  opened.push(journal);
  return journal;
}

/** The journal of a process that was killed: its files as they are while it still holds them. */
async function afterKill(file: string): Promise<string> {
  const copy = fresh();
  await cp(join(file, '..'), join(copy, '..'), { recursive: true });
  return copy;
}

/** As if time had passed, or the machine had been started again. */
function changeState(file: string, change: string): void {
  const database = new DatabaseSync(file);
  database.exec(`UPDATE state SET ${change}`);
  database.close();
}

describe('a journal', () => {
  it('of a killed process says what was noted and not forgotten', async () => {
    const file = fresh();
    const journal = open(file);
    expect(journal.unfinished).toEqual(NOTHING);
    journal.begin(7);
    for (const run of ['a', 'b', 'a']) journal.noteRun(run);
    for (const experiment of ['1', '2']) journal.noteExperiment(experiment);
    const [first, second] = [journal.noteWrite(NO_EFFECT), journal.noteWrite(EFFECT)];
    journal.forgetRun('b');
    journal.forgetExperiment('1');
    for (const [id, startTime] of [
      ['1', 9n],
      ['2', 8n],
      ['2', -(2n ** 63n)],
    ] as const)
      journal.noteCopiedTo(id, startTime);
    journal.forgetCopiedTo('1');
    journal.forgetWrite(first);
    const { unfinished } = open(await afterKill(file));
    expect(unfinished).toEqual({
      epoch: 7,
      runs: ['a'],
      experiments: ['2'],
      copiedTo: new Map([['2', -(2n ** 63n)]]),
      hadCompany: false,
      writes: [{ id: second, effect: EFFECT }],
    });
  });

  it('gives no write an id that one left over has', async () => {
    const file = fresh();
    const left = open(file).noteWrite(EFFECT);
    const journal = open(await afterKill(file));
    expect(journal.noteWrite(EFFECT)).not.toBe(left);
  });

  it('goes on in the same epoch, and forgets experiments in another', async () => {
    const file = fresh();
    const journal = open(file);
    journal.begin(7);
    journal.noteRun('a');
    journal.noteExperiment('1');
    journal.noteCopiedTo('2', 5n);
    journal.noteWrite(EFFECT);
    journal.close();
    const again = open(file);
    again.begin(7);
    expect(open(await afterKill(file)).unfinished).toEqual(again.unfinished);
    again.begin(8);
    expect(open(await afterKill(file)).unfinished).toMatchObject({ ...NOTHING, epoch: 8, runs: ['a'], writes: [{}] });
  });

  it('names no epoch once it was ended', async () => {
    const file = fresh();
    const journal = open(file);
    journal.begin(7);
    journal.end();
    expect(open(await afterKill(file)).unfinished.epoch).toBeUndefined();
  });

  it.each([
    ['the gateway was away for too long', `alive_at = alive_at - 61000`],
    ['the clock was put back', `alive_at = alive_at + 61000`],
    ['the machine was started since', `boot = 'another'`],
  ])('names no epoch when %s', (_why, change) => {
    const file = fresh();
    const journal = open(file);
    journal.begin(7);
    journal.noteRun('a');
    journal.close();
    changeState(file, change);
    expect(open(file).unfinished).toMatchObject({ epoch: undefined, runs: ['a'] });
  });

  it('is of one process: a second one goes without and leaves it alone', async () => {
    const file = fresh();
    const journal = open(file);
    journal.begin(7);
    const second = open(file);
    expect([second.unfinished, failures.length]).toEqual([NOTHING, 1]);
    second.begin(9);
    second.noteRun('z');
    journal.noteRun('a');
    expect(open(await afterKill(file)).unfinished).toMatchObject({ epoch: 7, runs: ['a'] });
  });

  it('that cannot be read is left as it is, and the gateway goes without', async () => {
    const file = join(folder, 'damaged.sqlite');
    await writeFile(file, 'not a database at all, and long enough to be looked at as one');
    const journal = open(file);
    expect([journal.unfinished, String(failures[0])]).toEqual([NOTHING, expect.stringContaining('damaged')]);
    journal.noteRun('a');
    expect(existsSync(file)).toBe(true);
  });

  it('that fails to note something is gone, rather than without it', () => {
    const file = fresh();
    const journal = open(file);
    journal.begin(7);
    journal.noteWrite({ runs: [{ runId: 1n }] } as never);
    journal.noteRun('a');
    expect(failures).toHaveLength(1);
    expect(existsSync(file)).toBe(false);
    expect(open(file).unfinished).toEqual(NOTHING);
  });
});
