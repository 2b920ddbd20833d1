import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Run } from '../../../src/domain/run.ts';
import { decodeRun } from '../../../src/domain/run-text.ts';
import type { Position, Scan } from '../../../src/plan/adapter.ts';
import { completeScan } from '../../../src/plan/complete-scan.ts';
import { mergeScans } from '../../../src/plan/merge-scans.ts';
import { compareCursors, cursorOf } from '../../../src/query/order.ts';
import { readPageToken, writePageToken } from '../../../src/query/page-token.ts';
import type { RunQuery } from '../../../src/query/run-query.ts';
import { type Abilities, abilities, PartialSource } from '../../fixtures/partial-source.ts';
import { queryOver, runIn } from '../../fixtures/run-arbitraries.ts';
import { runJson } from '../../fixtures/run-json.ts';
import { createReference } from '../../fixtures/run-reference.ts';

const never = new AbortController().signal;
const AMPLE = { maxRuns: 100_000, maxMs: 60_000, maxCharacters: 1e9 };

interface Source {
  readonly runs: readonly Run[];
  readonly abilities: Abilities;
}

const merged = (sources: readonly Source[], query: RunQuery): Scan =>
  mergeScans(
    new Map(
      sources.map(({ runs, abilities }, i) => {
        const texts = runs.map((run) => runJson(run));
        const completion = { source: `s${i}`, budget: AMPLE };
        return [`s${i}`, completeScan(new PartialSource(texts, query, abilities), query, completion)];
      }),
    ),
    query,
  );

const world = fc
  .uniqueArray(fc.oneof(runIn('1'), runIn('2')), { minLength: 1, maxLength: 40, selector: ({ runId }) => runId })
  .chain((runs) =>
    fc.record({
      runs: fc.constant(runs),
      homes: fc.array(fc.nat(2), { minLength: runs.length, maxLength: runs.length }),
      able: fc.tuple(abilities, abilities, abilities),
      query: queryOver(runs, { dialect: 'sqlite', anyTree: true }),
      limit: fc.integer({ min: 1, max: 8 }),
    }),
  );

type World = typeof world extends fc.Arbitrary<infer W> ? W : never;

/** The runs, dealt out. */
const dealt = ({ runs, homes, able }: Pick<World, 'homes' | 'able'> & { readonly runs: readonly Run[] }): Source[] =>
  able.map((abilities, home) => ({ runs: runs.filter((_, i) => homes[i] === home), abilities }));

const jsonOf = (runs: readonly Run[]) => runs.map((run) => runJson(run));
const idOf = (text: string) => decodeRun(text).runId;

/** All rows, page by page by token; each page is a search of its own. */
async function readAll(scanOf: () => Scan, query: RunQuery, limit: number, between = () => {}): Promise<string[]> {
  const rows: string[] = [];
  for (let from: Position = { offset: 0 }; ; ) {
    const page = await scanOf().fetch({ limit, from }, never);
    rows.push(...page.runs.map(String));
    const last = page.runs.at(-1);
    if (!page.more || last === undefined) return rows;
    expect(page.runs).toHaveLength(limit);
    const bookmark = { offset: rows.length, cursor: cursorOf(decodeRun(last), query.order) };
    const token = writePageToken(query, { ...bookmark, ...(page.below && { below: page.below }) });
    from = readPageToken(query, token) ?? { offset: 0 };
    between();
  }
}

describe('merged scans', () => {
  it('give what one source of all runs gives, page by page', async () => {
    const property = fc.asyncProperty(world, async (drawn) => {
      const { runs, query, limit } = drawn;
      const expected = createReference(jsonOf(runs)).search(query);
      expect(await readAll(() => merged(dealt(drawn), query), query, limit)).toEqual(expected);
      for (const offset of [1, 7]) {
        const page = await merged(dealt(drawn), query).fetch({ limit, from: { offset } }, never);
        expect([page.runs, page.more]).toEqual([
          expected.slice(offset, offset + limit),
          expected.length > offset + limit,
        ]);
      }
    });
    await fc.assert(property, { numRuns: 400 });
  }, 60_000);

  it('lose no run and give none twice while others are added', async () => {
    const property = fc.asyncProperty(world, fc.integer({ min: 1, max: 40 }), async (drawn, first) => {
      const { runs, query, limit } = drawn;
      let there = runs.slice(0, first);
      const early = createReference(jsonOf(there)).search(query).map(idOf);
      const scanOf = () => merged(dealt({ ...drawn, runs: there }), query);
      const rows = await readAll(scanOf, query, limit, () => {
        there = runs.slice(0, there.length + 1);
      });
      const found = rows.map(idOf);
      expect(new Set(found).size).toBe(found.length);
      expect(found.filter((id) => early.includes(id))).toEqual(early);
      const places = rows.map((text) => cursorOf(decodeRun(text), query.order));
      for (const [i, place] of places.slice(1).entries())
        expect(compareCursors(places[i] ?? [], place, query.order)).toBeLessThan(0);
    });
    await fc.assert(property, { numRuns: 400 });
  }, 60_000);

  it('ask all sources at once, and each for no more than is wanted', async () => {
    const query: RunQuery = { experimentIds: ['1'], view: 'all', filter: undefined, order: [], dialect: 'sqlite' };
    const asked: number[] = [];
    let [under, most] = [0, 0];
    const scan = {
      describe: () => 'slow',
      async fetch({ limit }: { readonly limit: number }) {
        asked.push(limit);
        most = Math.max(most, ++under);
        await new Promise(setImmediate);
        under--;
        return { rows: [], more: false };
      },
    };
    const all = mergeScans(new Map([0, 1, 2].map((i) => [`s${i}`, scan])), query);
    expect(await all.fetch({ limit: 9, from: { offset: 0 } }, never)).toEqual({ runs: [], more: false });
    expect([asked, most]).toEqual([[9, 9, 9], 3]);
  });
});
