import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createSqliteIndex } from '../../../../adapters/sqlite/index.ts';
import { decodeRun } from '../../../../src/domain/run-text.ts';
import type { RunsIndex } from '../../../../src/plan/runs-index.ts';
import type { Match } from '../../../../src/query/ast.ts';
import { cursorOf, totalOrder } from '../../../../src/query/order.ts';
import type { OrderKey, RunQuery } from '../../../../src/query/run-query.ts';
import { fill } from '../../../fixtures/elasticsearch-index.ts';
import { queryOver, runIn } from '../../../fixtures/run-arbitraries.ts';
import { runJson } from '../../../fixtures/run-json.ts';
import { answerOf, createReference, rowsInPages } from '../../../fixtures/run-reference.ts';
import { openSqliteIndex } from '../../../fixtures/sqlite-index.ts';

type Opened = Awaited<ReturnType<typeof openSqliteIndex>>;

const opened: Opened[] = [];

async function open(): Promise<Opened> {
  const index = await openSqliteIndex();
  opened.push(index);
  return index;
}

afterAll(async () => {
  for (const { index, remove } of opened) {
    await index.close();
    await remove();
  }
});

const hex = (at: number) => at.toString(16).padStart(32, '0');
const [sample] = fc.sample(runIn('1'), { numRuns: 1, seed: 1 });
if (!sample) throw new Error('No run to begin with.');
const plainRun = {
  ...sample,
  lifecycleStage: 'active' as const,
  metrics: new Map(),
  params: new Map(),
  tags: new Map(),
};

const everything = (order: readonly OrderKey[] = totalOrder([])): RunQuery => ({
  experimentIds: ['1'],
  view: 'all',
  filter: undefined,
  order,
  dialect: 'sqlite',
});

describe('over random runs', () => {
  const runs = [
    ...fc.sample(runIn('7'), { numRuns: 400, seed: 7 }),
    ...fc.sample(runIn('0'), { numRuns: 200, seed: 8 }),
  ];
  const texts = runs.map(runJson);
  const reference = createReference(texts);
  let index: RunsIndex;
  beforeAll(async () => {
    ({ index } = await open());
    await fill(index, texts);
  });

  it.each(['sqlite', 'postgresql', 'mysql'] as const)(
    'a compiled %s query means what the reference means',
    async (dialect) => {
      const property = fc.asyncProperty(queryOver(runs, { dialect, anyTree: true }), async (query) => {
        expect(await answerOf(index, query)).toEqual(reference.search(query));
      });
      await fc.assert(property, { numRuns: 400 });
    },
  );

  it('takes all of MLflow over SQLite upon itself, and of the others what no collation decides', () => {
    const claims = (dialect: RunQuery['dialect']) =>
      fc.sample(queryOver(runs, { dialect, anyTree: false }), { numRuns: 500, seed: 3 }).map((query) => {
        const { residual, ordered } = index.pushDown(query);
        return residual === undefined && ordered;
      });
    expect(claims('sqlite')).not.toContain(false);
    for (const dialect of ['postgresql', 'mysql'] as const)
      expect(new Set(claims(dialect)), dialect).toEqual(new Set([true, false]));
  });

  // Small pages are walked along an index, large ones are found by the narrowest condition and sorted.
  it.each([1, 7, 60])('pages of some %i by cursor and by offset both make up the answer', async (size) => {
    const query = queryOver(runs, { dialect: 'sqlite', anyTree: true });
    const property = fc.asyncProperty(query, async (asked) => {
      const expected = reference.search(asked);
      const limit = Math.max(size, Math.ceil(expected.length / 12));
      const scan = index.pushDown(asked);
      const byCursor = await rowsInPages(scan, limit, (offset, last) => ({
        offset,
        cursor: cursorOf(decodeRun(last), asked.order),
      }));
      expect(byCursor).toEqual(expected);
      expect(await rowsInPages(scan, limit, (offset) => ({ offset }))).toEqual(expected);
    });
    await fc.assert(property, { numRuns: 60 });
  });
});

describe('LIKE patterns', () => {
  const values = ['aaab', 'ABABAB', '😀a', 'x'.repeat(98), '[a]*?', 'é', 'É', '%_\\', ''];
  const texts = values.map((k, at) => runJson({ ...plainRun, runId: hex(at), params: new Map([['k', k]]) }));
  const reference = createReference(texts);
  const piece = fc.constantFrom('a', 'b', 'A', 'B', '😀', 'é', 'É', '_', '%', '*', '?', '[', ']', '^', '-', '\\');

  it.each(['sqlite', 'postgresql'] as const)('mean on %s what the reference means', async (dialect) => {
    const { index } = await open();
    await fill(index, texts);
    const pattern = fc.array(piece, { maxLength: 8 }).map((pieces) => pieces.join(''));
    const property = fc.asyncProperty(pattern, fc.boolean(), async (text, ignoreCase) => {
      const filter: Match = { kind: 'match', field: { entity: 'param', key: 'k' }, pattern: text, ignoreCase };
      const query = { ...everything(), filter, dialect };
      expect(await answerOf(index, query)).toEqual(reference.search(query));
    });
    await fc.assert(property, { numRuns: 400 });
  });

  it('are left to the gateway when SQLite would refuse them', async () => {
    const { index } = await open();
    const residual = (pattern: string) =>
      index.pushDown({
        ...everything(),
        filter: { kind: 'match', field: { entity: 'param', key: 'k' }, pattern, ignoreCase: false },
      }).residual;
    expect(residual('*'.repeat(12_000))).toBeUndefined();
    expect(residual('*'.repeat(12_001))).toBeDefined();
    expect(residual('a\0')).toBeDefined();
  });

  it('of the greatest length are taken by SQLite', async () => {
    const { index } = await open();
    await fill(index, texts);
    for (const pattern of ['*'.repeat(12_000), '%'.repeat(12_000), '😀'.repeat(6_000), '%a'.repeat(6_000)]) {
      const query = {
        ...everything(),
        filter: { kind: 'match', field: { entity: 'param', key: 'k' }, pattern, ignoreCase: true } as const,
      };
      expect(await answerOf(index, query)).toEqual(pattern.startsWith('%%') ? reference.search(everything()) : []);
    }
  });
});

describe('writing', () => {
  const version1 = runJson({ ...plainRun, userId: 'first' });
  const version2 = runJson({ ...plainRun, userId: 'second' });

  it('never replaces a younger reading by an older one, whichever arrives last', async () => {
    const { index } = await open();
    const older = await index.nextVersion();
    const younger = await index.nextVersion();
    expect(younger).toBeGreaterThan(older);
    expect(await index.write([version2], younger)).toEqual({ written: 1, stale: 0, rejected: [] });
    expect(await index.write([version1], older)).toEqual({ written: 0, stale: 1, rejected: [] });
    expect(await index.write([version1], younger)).toEqual({ written: 0, stale: 1, rejected: [] });
    expect(await answerOf(index, everything())).toEqual([version2]);
    expect(await index.write([version1], await index.nextVersion())).toMatchObject({ written: 1 });
    expect(await answerOf(index, everything())).toEqual([version1]);
  });

  it('leaves nothing behind of what a run was before', async () => {
    const { index } = await open();
    const before = { ...plainRun, params: new Map([['gone', '1']]), metrics: new Map([['gone', 1]]) };
    await fill(index, [runJson(before)]);
    await fill(index, [version2]);
    for (const entity of ['param', 'metric'] as const) {
      const order = totalOrder([{ field: { entity, key: 'gone' }, descending: false }]);
      expect(await answerOf(index, everything(order))).toEqual([version2]);
    }
    const filter = { kind: 'null-test', field: { entity: 'param', key: 'gone' }, negated: true } as const;
    expect(await answerOf(index, { ...everything(), filter })).toEqual([]);
  });

  it('names the runs that it cannot hold, and takes the others', async () => {
    const { index } = await open();
    const bad = [
      { ...plainRun, runId: hex(1), params: new Map([['k', 'a\0b']]) },
      { ...plainRun, runId: hex(2), tags: new Map([['k', '\ud83d']]) },
    ];
    const fit = { ...plainRun, params: new Map([['k', 'x'.repeat(100_000)]]), endTime: 2n ** 63n - 1n };
    const report = await index.write([...bad, fit].map(runJson), await index.nextVersion());
    expect(report).toMatchObject({ written: 1, stale: 0 });
    expect(report.rejected.map(({ runId, experimentId }) => [runId, experimentId])).toEqual([
      [hex(1), '1'],
      [hex(2), '1'],
    ]);
    expect(await answerOf(index, everything())).toEqual([runJson(fit)]);
  });

  it('writes all of a batch or nothing', async () => {
    const { index } = await open();
    await expect(index.write([version1, 'no JSON'], await index.nextVersion())).rejects.toMatchObject({
      code: 'INTERNAL_ERROR',
    });
    expect(await answerOf(index, everything())).toEqual([]);
  });
});

describe('coverage', () => {
  it('counts only in its epoch, and is never made better than excluded', async () => {
    const { index } = await open();
    expect(await index.epoch()).toBe(0);
    const first = await index.beginEpoch();
    await index.recordCoverage(['1', '2', '3'], 'complete', first);
    await index.recordCoverage(['2'], 'excluded', first);
    await index.recordCoverage(['2'], 'complete', first);
    expect(await index.coverage(['1', '2', '4'], first)).toEqual(
      new Map([
        ['1', 'complete'],
        ['2', 'excluded'],
      ]),
    );
    const second = await index.beginEpoch();
    expect(second).toBe(first + 1);
    expect(await index.coverage(['1', '2'], second)).toEqual(new Map());
    await index.recordCoverage(['2'], 'complete', second);
    await index.recordCoverage(['2'], 'excluded', first);
    expect(await index.coverage(['2'], second)).toEqual(new Map([['2', 'complete']]));
  });

  it('and versions are those of the file, whoever opens it', async () => {
    const { index, file } = await open();
    const version = await index.nextVersion();
    const epoch = await index.beginEpoch();
    const other = createSqliteIndex({ file });
    expect(await other.nextVersion()).toBe(version + 1);
    expect(await other.epoch()).toBe(epoch);
    await other.close();
  });
});
