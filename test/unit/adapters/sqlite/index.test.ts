import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { RunsIndex } from '../../../../src/plan/runs-index.ts';
import type { Match } from '../../../../src/query/ast.ts';
import { itIsARunsIndex } from '../../../contract/runs-index.ts';
import { fillIndex } from '../../../fixtures/fill-index.ts';
import { plainRun, runIdAt } from '../../../fixtures/plain-run.ts';
import { runJson } from '../../../fixtures/run-json.ts';
import { runQuery } from '../../../fixtures/run-query.ts';
import { answerOf } from '../../../fixtures/run-reference.ts';
import { newSqlitePlace } from '../../../fixtures/sqlite-place.ts';

// Hundreds of searches, or ten thousand runs, take longer than a unit test may on a busy machine.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

itIsARunsIndex(newSqlitePlace, {
  unfit: [
    [{ params: new Map([['k', 'a\0b']]) }, /not valid Unicode, or holds a NUL/],
    [{ tags: new Map([['k', '\ud83d']]) }, /not valid Unicode, or holds a NUL/],
  ],
  fit: { params: new Map([['k', 'x'.repeat(100_000)]]), endTime: 2n ** 63n - 1n },
});

async function open(): Promise<RunsIndex> {
  const place = await newSqlitePlace();
  onTestFinished(() => place.leave());
  return place.open();
}

const like = (pattern: string, ignoreCase: boolean): Match => ({
  kind: 'match',
  field: { entity: 'param', key: 'k' },
  pattern,
  ignoreCase,
});

describe('LIKE patterns in SQLite', () => {
  it('are left to the gateway when it would refuse them', async () => {
    const index = await open();
    const residual = (pattern: string) => index.pushDown(runQuery({ filter: like(pattern, false) })).residual;
    expect(residual('*'.repeat(12_000))).toBeUndefined();
    expect(residual('*'.repeat(12_001))).toBeDefined();
    expect(residual('a\0')).toBeDefined();
  });

  it('of the greatest length are taken', async () => {
    const index = await open();
    const values = ['aaab', 'ABABAB', '😀a', 'x'.repeat(98), '[a]*?', 'é', 'É', '%_\\', ''];
    const texts = values.map((k, at) => runJson(plainRun({ runId: runIdAt(at), params: new Map([['k', k]]) })));
    await fillIndex(index, texts);
    const search = (pattern: string) => answerOf(index, runQuery({ filter: like(pattern, true) }));
    expect(await search('%'.repeat(12_000))).toEqual(texts);
    for (const pattern of ['*'.repeat(12_000), '😀'.repeat(6_000), '%a'.repeat(6_000)])
      expect(await search(pattern)).toEqual([]);
  });
});

describe('writing to SQLite', () => {
  it('takes all of a batch or nothing', async () => {
    const index = await open();
    const written = index.write([runJson(plainRun()), 'no JSON'], await index.nextVersion());
    await expect(written).rejects.toMatchObject({ code: 'INTERNAL_ERROR' });
    expect(await answerOf(index, runQuery())).toEqual([]);
  });
});
