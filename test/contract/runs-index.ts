import fc from 'fast-check';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import type { Run } from '../../src/domain/run.ts';
import { decodeRun } from '../../src/domain/run-text.ts';
import { isExact, PositionOutOfReach, type RunPage } from '../../src/plan/adapter.ts';
import type { RunsIndex } from '../../src/plan/runs-index.ts';
import type { Match } from '../../src/query/ast.ts';
import { cursorOf, totalOrder } from '../../src/query/order.ts';
import type { RunQuery } from '../../src/query/run-query.ts';
import { fillIndex } from '../fixtures/fill-index.ts';
import type { IndexPlace } from '../fixtures/index-place.ts';
import { plainRun, runIdAt } from '../fixtures/plain-run.ts';
import { queryOver, runIn } from '../fixtures/run-arbitraries.ts';
import { runJson } from '../fixtures/run-json.ts';
import { runQuery } from '../fixtures/run-query.ts';
import { answerOf, createReference, rowsInPages, textsOf } from '../fixtures/run-reference.ts';

export interface RunsIndexContract {
  /** Runs that it cannot hold, each with what it says of them. */
  readonly unfit: readonly (readonly [flaw: Partial<Run>, reason: RegExp])[];
  /** A run that it can only just hold. */
  readonly fit: Partial<Run>;
  /** The first offset where it needs a cursor; absent when it needs none. */
  readonly reach?: number;
}

const DIALECTS = ['sqlite', 'postgresql', 'postgresql-c', 'mysql'] as const;
const START = { offset: 0 };
const never = new AbortController().signal;

/** What every index of runs owes to the feed and to the planner, however it keeps them. */
export function itIsARunsIndex(
  newPlace: () => IndexPlace | Promise<IndexPlace>,
  { unfit, fit, reach = Number.POSITIVE_INFINITY }: RunsIndexContract,
): void {
  /** For the running test alone. */
  async function place(): Promise<IndexPlace> {
    const made = await newPlace();
    onTestFinished(() => made.leave());
    return made;
  }

  const open = async () => (await place()).open();

  /** Holds these runs for all tests of a block. */
  function holding(texts: readonly string[]): () => RunsIndex {
    let index: RunsIndex;
    beforeAll(async () => {
      const made = await newPlace();
      index = await made.open();
      await fillIndex(index, texts);
      return () => made.leave();
    });
    return () => index;
  }

  describe('over random runs', () => {
    const runs = [
      ...fc.sample(runIn('7'), { numRuns: 400, seed: 7 }),
      ...fc.sample(runIn('0'), { numRuns: 200, seed: 8 }),
    ];
    const texts = runs.map(runJson);
    const reference = createReference(texts);
    const index = holding(texts);

    it.each(DIALECTS)('a compiled %s query means what the reference means', async (dialect) => {
      const property = fc.asyncProperty(queryOver(runs, { dialect, anyTree: true }), async (query) => {
        expect(await answerOf(index(), query)).toEqual(reference.search(query));
      });
      await fc.assert(property, { numRuns: 400 });
    });

    it('takes all of MLflow over SQLite upon itself, and of the others what no collation decides', () => {
      const claims = (dialect: RunQuery['dialect']) =>
        fc
          .sample(queryOver(runs, { dialect, anyTree: false }), { numRuns: 500, seed: 3 })
          .map((query) => isExact(index().pushDown(query), query));
      expect(claims('sqlite')).not.toContain(false);
      for (const dialect of ['postgresql', 'mysql'] as const)
        expect(new Set(claims(dialect)), dialect).toEqual(new Set([true, false]));
    });

    // Small pages and large ones may be found in different ways; now and then the last one is exactly full.
    it.each([1, 7, 60])('pages of some %i by cursor and by offset both make up the answer', async (size) => {
      const query = queryOver(runs, { dialect: 'sqlite', anyTree: true });
      const property = fc.asyncProperty(query, fc.nat(2), async (asked, extra) => {
        const expected = reference.search(asked);
        const limit = Math.max(size, Math.ceil(expected.length / 12)) + extra;
        const scan = index().pushDown(asked);
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
    const texts = values.map((k, at) => runJson(plainRun({ runId: runIdAt(at), params: new Map([['k', k]]) })));
    const reference = createReference(texts);
    const index = holding(texts);
    const piece = fc.constantFrom('a', 'b', 'A', 'B', '😀', 'é', 'É', '_', '%', '*', '?', '[', ']', '^', '-', '\\');

    it.each(DIALECTS)('mean on %s what the reference means', async (dialect) => {
      const pattern = fc.array(piece, { maxLength: 8 }).map((pieces) => pieces.join(''));
      const property = fc.asyncProperty(pattern, fc.boolean(), async (text, ignoreCase) => {
        const filter: Match = { kind: 'match', field: { entity: 'param', key: 'k' }, pattern: text, ignoreCase };
        const query = runQuery({ filter, dialect });
        expect(await answerOf(index(), query)).toEqual(reference.search(query));
      });
      await fc.assert(property, { numRuns: 400 });
    });
  });

  describe('large answers', () => {
    const COUNT = 10_500;
    const texts = Array.from({ length: COUNT }, (_, at) =>
      runJson(
        plainRun({
          runId: runIdAt(at),
          startTime: BigInt(at % 100),
          metrics: new Map([['m', at % 7 || Number.NaN]]),
        }),
      ),
    );
    const reference = createReference(texts);
    const index = holding(texts);
    const order = totalOrder([{ field: { entity: 'metric', key: 'm' }, descending: true }]);
    const query = runQuery({ order });

    it.each([
      ['the default order', runQuery()],
      ['a metric with NaN', query],
    ])('a page of 50,000 by %s is whole', async (_order, asked) => {
      const page = await index().pushDown(asked).fetch({ limit: 50_000, from: START }, never);
      expect(page.more).toBe(false);
      expect(textsOf(page)).toEqual(reference.search(asked));
    });

    it.each([
      [1_999, 0],
      [2_000, 0],
      [6_000, 100],
      [1_000, 9_500],
      [1, 9_999],
      [501, 9_999],
      [500, 9_999],
    ])('a page of %i from row %i is what it should be', async (limit, offset) => {
      const page = await index().pushDown(query).fetch({ limit, from: { offset } }, never);
      expect(textsOf(page)).toEqual(reference.search(query).slice(offset, offset + limit));
      expect(page.more).toBe(offset + limit < COUNT);
    });

    it('go on from a cursor wherever they are, and from an offset alone unless it is out of reach', async () => {
      const scan = index().pushDown(query);
      const rows = reference.search(query);
      const offset = 10_000;
      const rest = rows.slice(offset);
      const isRest = (page: RunPage) => {
        expect(textsOf(page)).toEqual(rest);
        expect(page.more).toBe(false);
      };
      const cursor = cursorOf(decodeRun(rows[offset - 1] ?? ''), order);
      isRest(await scan.fetch({ limit: 1_000, from: { offset, cursor } }, never));
      const byOffset = scan.fetch({ limit: 1_000, from: { offset } }, never);
      if (offset < reach) isRest(await byOffset);
      else await expect(byOffset).rejects.toThrow(PositionOutOfReach);
    });

    it('are given up when the client hangs up', async () => {
      const client = new AbortController();
      const fetching = index().pushDown(query).fetch({ limit: 50_000, from: START }, client.signal);
      client.abort();
      await expect(fetching).rejects.toMatchObject({ code: 'CANCELLED' });
    });

    it('may be over 100,000 experiments', async () => {
      const experimentIds = Array.from({ length: 100_000 }, (_, at) => String(at + 1));
      const page = await index().pushDown(runQuery({ experimentIds })).fetch({ limit: 3, from: START }, never);
      expect(textsOf(page)).toEqual(reference.search(runQuery()).slice(0, 3));
    });
  });

  describe('writing', () => {
    const version1 = runJson(plainRun({ userId: 'first' }));
    const version2 = runJson(plainRun({ userId: 'second' }));
    const other = runJson(plainRun({ runId: runIdAt(1), startTime: 1n }));
    const search = async (index: RunsIndex) => {
      await index.refresh();
      return answerOf(index, runQuery());
    };

    it('never replaces a younger reading by an older one, whichever arrives last', async () => {
      const index = await open();
      const older = await index.nextVersion();
      const younger = await index.nextVersion();
      expect(younger).toBeGreaterThan(older);
      expect(await index.write([version2], younger)).toEqual({ written: 1, stale: 0, rejected: [] });
      expect(await index.write([other, version1], older)).toEqual({ written: 1, stale: 1, rejected: [] });
      expect(await search(index)).toEqual([other, version2]);
      expect(await index.write([version1], await index.nextVersion())).toEqual({ written: 1, stale: 0, rejected: [] });
      expect(await search(index)).toEqual([other, version1]);
    });

    it('writes nothing twice at one version', async () => {
      const index = await open();
      const version = await index.nextVersion();
      await index.write([version1], version);
      expect(await index.write([version1], version)).toEqual({ written: 0, stale: 1, rejected: [] });
      expect(await index.write([version2], version)).toEqual({ written: 0, stale: 1, rejected: [] });
      expect(await index.write([], version)).toEqual({ written: 0, stale: 0, rejected: [] });
      expect(await search(index)).toEqual([version1]);
    });

    it('leaves nothing behind of what a run was before', async () => {
      const index = await open();
      const before = plainRun({ params: new Map([['gone', '1']]), metrics: new Map([['gone', 1]]) });
      await fillIndex(index, [runJson(before)]);
      await fillIndex(index, [version2]);
      for (const entity of ['param', 'metric'] as const) {
        const order = totalOrder([{ field: { entity, key: 'gone' }, descending: false }]);
        expect(await answerOf(index, runQuery({ order }))).toEqual([version2]);
      }
      const filter = { kind: 'null-test', field: { entity: 'param', key: 'gone' }, negated: true } as const;
      expect(await answerOf(index, runQuery({ filter }))).toEqual([]);
    });

    it('takes out runs that are older than the version they are taken out under, and no others', async () => {
      const index = await open();
      const before = await index.nextVersion();
      const removal = await index.nextVersion();
      const after = await index.nextVersion();
      await index.write([version1], before);
      await index.write([other], after);
      expect(await index.remove([runIdAt(0), runIdAt(1), runIdAt(2)], removal)).toBe(2);
      expect(await search(index)).toEqual([other]);
      expect(await index.remove([], after)).toBe(0);
    });

    it('never brings a run back from a reading that is older than its end, only from a younger one', async () => {
      const index = await open();
      const before = await index.nextVersion();
      const removal = await index.nextVersion();
      await index.write([version1], before);
      await index.remove([runIdAt(0), runIdAt(1)], removal);
      const late = { written: 0, stale: 2, rejected: [] };
      expect(await index.write([version1, other], before)).toEqual(late);
      expect(await index.write([version1, other], removal)).toEqual(late);
      expect(await index.remove([runIdAt(0)], before)).toBe(0);
      expect(await search(index)).toEqual([]);
      expect(await index.write([version2], await index.nextVersion())).toEqual({ written: 1, stale: 0, rejected: [] });
      expect(await search(index)).toEqual([version2]);
      expect(await index.remove([runIdAt(0)], removal)).toBe(0);
      expect(await search(index)).toEqual([version2]);
    });

    it('takes out more runs than one request holds', async () => {
      const index = await open();
      await index.write([version1], await index.nextVersion());
      const ids = Array.from({ length: 5_001 }, (_, at) => runIdAt(5_000 - at));
      expect(await index.remove(ids, await index.nextVersion())).toBe(5_001);
      expect(await search(index)).toEqual([]);
    });

    it('names the runs that it cannot hold, and takes the others', async () => {
      const index = await open();
      const bad = unfit.map(([flaw], at) => plainRun({ runId: runIdAt(at), ...flaw }));
      const good = plainRun({ runId: runIdAt(unfit.length), ...fit });
      const report = await index.write([...bad, good].map(runJson), await index.nextVersion());
      expect(report).toEqual({
        written: 1,
        stale: 0,
        rejected: unfit.map(([, reason], at) => ({
          runId: bad[at]?.runId,
          experimentId: '1',
          reason: expect.stringMatching(reason),
        })),
      });
      expect(await search(index)).toEqual([runJson(good)]);
    });

    it('holds runs of 12,000 metrics', async () => {
      const index = await open();
      const runs = Array.from({ length: 8 }, (_, at) =>
        plainRun({
          runId: runIdAt(at),
          metrics: new Map(Array.from({ length: 12_000 }, (_, i) => [`layer/${i}/weight`, (i * (at + 1)) % 1_009])),
        }),
      );
      await fillIndex(index, runs.map(runJson));
      const reference = createReference(runs.map(runJson));
      const field = { entity: 'metric', key: 'layer/11999/weight' } as const;
      const query = runQuery({
        filter: { kind: 'compare', field, op: '>', value: 500 },
        order: totalOrder([{ field, descending: true }]),
      });
      expect(reference.search(query).length).toBeGreaterThan(0);
      expect(await answerOf(index, query)).toEqual(reference.search(query));
    });
  });

  describe('what it knows of itself', () => {
    it('is found by no search', async () => {
      const index = await open();
      await index.beginEpoch();
      await index.recordCoverage(['1'], 'complete', 1);
      await index.refresh();
      expect(await answerOf(index, runQuery())).toEqual([]);
    });

    it('counts epochs', async () => {
      const here = await place();
      const index = await here.open();
      expect(await index.epoch()).toBe(0);
      const first = await index.beginEpoch();
      const restarted = await here.open();
      expect(await restarted.epoch()).toBe(first);
      expect(await restarted.beginEpoch()).toBe(first + 1);
      expect(await index.epoch()).toBe(first + 1);
    });

    it('counts versions on from where it was after a restart', async () => {
      const here = await place();
      const before = await (await here.open()).nextVersion();
      expect(await (await here.open()).nextVersion()).toBe(before + 1);
    });

    it('gives no version to two who ask at once', async () => {
      const here = await place();
      const indexes = [await here.open(), await here.open()];
      const asked = indexes.flatMap((index) => Array.from({ length: 20 }, () => index.nextVersion()));
      expect(new Set(await Promise.all(asked)).size).toBe(40);
    });

    it('records coverage that counts in its epoch alone', async () => {
      const index = await open();
      await index.recordCoverage(['1', '2'], 'complete', 3);
      await index.recordCoverage(['3'], 'excluded', 3);
      expect(await index.coverage(['1', '2', '3', '4'], 3)).toEqual(
        new Map([
          ['1', 'complete'],
          ['2', 'complete'],
          ['3', 'excluded'],
        ]),
      );
      expect(await index.coverage(['1', '2', '3'], 4)).toEqual(new Map());
      expect(await index.coverage([], 3)).toEqual(new Map());
    });

    it('never takes back an exclusion in its epoch, nor a record of a later epoch', async () => {
      const index = await open();
      const first = await index.beginEpoch();
      await index.recordCoverage(['1', '2'], 'complete', first);
      await index.recordCoverage(['1'], 'excluded', first);
      await index.recordCoverage(['1'], 'complete', first);
      expect(await index.coverage(['1', '2', '3'], first)).toEqual(
        new Map([
          ['1', 'excluded'],
          ['2', 'complete'],
        ]),
      );
      const second = await index.beginEpoch();
      expect(await index.coverage(['1', '2'], second)).toEqual(new Map());
      await index.recordCoverage(['1'], 'complete', second);
      await index.recordCoverage(['1'], 'excluded', first);
      expect(await index.coverage(['1'], second)).toEqual(new Map([['1', 'complete']]));
    });

    it('is recorded for more experiments than one request holds', async () => {
      const index = await open();
      const ids = Array.from({ length: 5_001 }, (_, at) => String(at));
      await index.recordCoverage(ids, 'complete', 1);
      expect((await index.coverage(ids, 1)).size).toBe(5_001);
    });
  });

  describe('its note', () => {
    it('is changed only by those who know it, and goes with the index', async () => {
      const here = await place();
      const [one, two] = [await here.open(), await here.open()];
      expect(await one.note()).toBeUndefined();
      expect(await two.replaceNote('other', 'x')).toBe(false);
      expect(await one.replaceNote(undefined, '{"a":"é"}')).toBe(true);
      expect(await two.replaceNote(undefined, 'mine')).toBe(false);
      expect(await two.note()).toBe('{"a":"é"}');
      expect(await two.replaceNote('{"a":"é"}', 'mine')).toBe(true);
      expect(await one.replaceNote('{"a":"é"}', undefined)).toBe(false);
      await one.beginEpoch();
      expect(await one.note()).toBe('mine');
      expect(await one.replaceNote('mine', undefined)).toBe(true);
      expect(await two.note()).toBeUndefined();
      expect(await two.replaceNote(undefined, 'again')).toBe(true);
      await one.refresh();
      expect(await answerOf(one, runQuery())).toEqual([]);
    });

    it('is set by one of many who try at once', async () => {
      const here = await place();
      const all = await Promise.all(Array.from({ length: 4 }, () => here.open()));
      const won = await Promise.all(all.map((index, at) => index.replaceNote(undefined, `${at}`)));
      expect(won.filter(Boolean)).toHaveLength(1);
      expect(await all[0]?.note()).toBe(`${won.indexOf(true)}`);
    });
  });

  describe('another index beside it', () => {
    const [before, after] = ['before', 'after'].map((userId) => runJson(plainRun({ userId }))) as [string, string];

    /** An index of one run, and another of one run beside it. */
    async function pair() {
      const here = await place();
      const index = await here.open();
      await fillIndex(index, [before]);
      const epoch = await index.beginEpoch();
      // In SQLite an epoch begins empty.
      await fillIndex(index, [before]);
      const next = here.keep(index.beside());
      await next.prepare();
      return { here, index, epoch, next };
    }

    it('is empty at first, is filled apart, and is found by nobody', async () => {
      const { here, index, epoch, next } = await pair();
      expect(await answerOf(next, runQuery())).toEqual([]);
      expect([await next.epoch(), await next.note()]).toEqual([0, undefined]);
      await fillIndex(next, [after]);
      await next.prepare();
      expect(await answerOf(next, runQuery())).toEqual([after]);
      await index.prepare();
      for (const found of [index, await here.open()]) {
        expect(await answerOf(found, runQuery())).toEqual([before]);
        expect(await found.epoch()).toBe(epoch);
      }
    });

    it('has epochs of its own', async () => {
      const { epoch, next } = await pair();
      expect(await next.beginEpoch()).toBeGreaterThan(epoch);
    });

    it('takes the place at once, and the one before goes on for those who have it', async () => {
      const { here, index, next } = await pair();
      const earlier = await here.open();
      await fillIndex(next, [after]);
      await next.takeOver();
      await next.takeOver();
      expect(await answerOf(await here.open(), runQuery())).toEqual([after]);
      expect(await answerOf(index, runQuery())).toEqual([before]);
      await fillIndex(index, [before]);
      await expect(index.prepare()).rejects.toMatchObject({ code: 'TEMPORARILY_UNAVAILABLE' });
      await next.prepare();
      expect(await answerOf(next, runQuery())).toEqual([after]);
      // Whoever has not taken part in it is led to the new one.
      await earlier.prepare();
      expect(await answerOf(earlier, runQuery())).toEqual([after]);
    });

    it('leaves nothing of the one before when that is destroyed, and can be replaced in turn', async () => {
      const { here, index, next } = await pair();
      const list = await here.list();
      expect(list).toHaveLength(2);
      await fillIndex(next, [after]);
      await next.takeOver();
      await index.destroy();
      await index.destroy();
      const [left] = await here.list();
      expect(await here.list()).toHaveLength(1);
      const third = here.keep(next.beside());
      await third.prepare();
      expect(await here.list()).toEqual(list);
      await fillIndex(third, [before]);
      await third.takeOver();
      await next.destroy();
      expect(await here.list()).toEqual(list.filter((each) => each !== left));
      expect(await answerOf(await here.open(), runQuery())).toEqual([before]);
    });

    it('is gone when it is destroyed before it takes over, and so is what an earlier one left', async () => {
      const { here, index, next } = await pair();
      await next.destroy();
      expect(await here.list()).toHaveLength(1);
      const left = here.keep(index.beside());
      await left.prepare();
      await fillIndex(left, [after]);
      const empty = here.keep(index.beside());
      await empty.prepare();
      expect(await answerOf(empty, runQuery())).toEqual([]);
      expect(await here.list()).toHaveLength(2);
      const restarted = here.connect();
      await here.keep(restarted.beside()).destroy();
      expect(await here.list()).toHaveLength(1);
      await restarted.prepare();
      expect(await answerOf(restarted, runQuery())).toEqual([before]);
    });

    it('leaves the one before to the next start when it could not be destroyed', async () => {
      const { here, next } = await pair();
      await fillIndex(next, [after]);
      await next.takeOver();
      const restarted = here.connect();
      await here.keep(restarted.beside()).destroy();
      expect(await here.list()).toHaveLength(1);
      await restarted.prepare();
      expect(await answerOf(restarted, runQuery())).toEqual([after]);
    });
  });

  describe('setting up', () => {
    it('is done once, however many do it at once, and keeps what is there', async () => {
      const here = await place();
      const all = await Promise.all(Array.from({ length: 4 }, () => here.open()));
      for (const index of all) await index.nextVersion();
      const [one, two, three] = all as [RunsIndex, RunsIndex, RunsIndex];
      const run = runJson(plainRun());
      await fillIndex(one, [run]);
      await two.prepare();
      expect(await answerOf(three, runQuery())).toEqual([run]);
      await three.ping();
    });

    it('is not there before it is prepared, and asking makes nothing', async () => {
      const here = await place();
      const index = here.connect();
      expect(await index.exists()).toBe(false);
      expect(await here.list()).toEqual([]);
      await index.prepare();
      expect(await here.connect().exists()).toBe(true);
    });
  });
}
