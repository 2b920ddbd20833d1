import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeRun } from '../../../src/domain/run-text.ts';
import type { Position, RunAdapter, Scan } from '../../../src/plan/adapter.ts';
import { completeScan } from '../../../src/plan/complete-scan.ts';
import { mergeScans } from '../../../src/plan/merge-scans.ts';
import { createRunSearch } from '../../../src/plan/search-runs.ts';
import { cursorOf, totalOrder } from '../../../src/query/order.ts';
import { parseRunFilter } from '../../../src/query/parse-filter.ts';
import { parseRunOrder } from '../../../src/query/parse-order.ts';
import type { RunQuery } from '../../../src/query/run-query.ts';
import { type Abilities, abilities, PartialSource } from '../../fixtures/partial-source.ts';
import { queryOver, runIn } from '../../fixtures/run-arbitraries.ts';
import { runJson } from '../../fixtures/run-json.ts';
import { createReference, textsOf } from '../../fixtures/run-reference.ts';

const never = new AbortController().signal;
const AMPLE = { maxRuns: 100_000, maxMs: 60_000, maxCharacters: 1e9 };
const complete = (scan: Scan, query: RunQuery, budget = AMPLE): Scan =>
  mergeScans(new Map([['far', completeScan(scan, query, { source: 'far', budget })]]), query);

/** All rows, page by page, each page begun after the last row of the one before. */
async function readAll(scan: Scan, query: RunQuery, limit: number, between = () => {}): Promise<string[]> {
  const rows: string[] = [];
  for (let from: Position = { offset: 0 }; ; ) {
    const { runs, more, below } = await scan.fetch({ limit, from }, never);
    rows.push(...textsOf({ runs }));
    const last = runs.at(-1);
    if (!more || last === undefined) return rows;
    expect(runs).toHaveLength(limit);
    from = { offset: rows.length, cursor: cursorOf(decodeRun(last), query.order), ...(below && { below }) };
    between();
  }
}

const world = fc
  .uniqueArray(fc.oneof(runIn('1'), runIn('2')), { minLength: 1, maxLength: 30, selector: ({ runId }) => runId })
  .chain((runs) =>
    fc.record({
      runs: fc.constant(runs.map((run) => runJson(run))),
      query: queryOver(runs, { dialect: 'sqlite', anyTree: true }),
      abilities,
      limit: fc.integer({ min: 1, max: 8 }),
    }),
  );

describe('a completed scan', () => {
  it('gives what the reference gives, whatever its source can do, page by page', async () => {
    const property = fc.asyncProperty(world, async ({ runs, query, abilities, limit }) => {
      const scan = complete(new PartialSource(runs, query, abilities), query);
      const expected = createReference(runs).search(query);
      expect(await readAll(scan, query, limit)).toEqual(expected);
      for (const offset of [0, 1, 7]) {
        const { runs: some, more } = await scan.fetch({ limit, from: { offset } }, never);
        expect([textsOf({ runs: some }), more]).toEqual([
          expected.slice(offset, offset + limit),
          expected.length > offset + limit,
        ]);
      }
    });
    await fc.assert(property, { numRuns: 500 });
  }, 60_000);

  it('goes on from the start when its source takes a mark no more', async () => {
    const property = fc.asyncProperty(world, async ({ runs, query, abilities, limit }) => {
      const source = new PartialSource(runs, query, { ...abilities, byMark: true });
      const rows = await readAll(complete(source, query), query, limit, () => {
        source.hasForgotten = true;
      });
      expect(rows).toEqual(createReference(runs).search(query));
    });
    await fc.assert(property, { numRuns: 200 });
  }, 60_000);

  it('gives the rows in order although its source does not keep what it says', async () => {
    const query = queryOf('', []);
    const rows = makeRuns(40, (i) => ({ start_time: i }));
    const source = new PartialSource(rows, query, { ...ABLE, orderedBy: 0 });
    const scan = complete(
      Object.assign(Object.create(source) as Scan, { fetch: source.fetch.bind(source), orderedBy: 1 }),
      query,
    );
    expect(await readAll(scan, query, 7)).toEqual(createReference(rows).search(query));
  });

  it('begins the next page where its source was, not at the start', async () => {
    const query = queryOf("params.p = 'even'", []);
    const rows = makeRuns(
      1_000,
      (i) => ({ start_time: i }),
      (i) => ({ p: i % 2 === 0 ? 'even' : 'odd' }),
    );
    const source = new PartialSource(rows, query, { ...ABLE, evaluates: [false], maxPage: 10, byMark: true });
    const scan = complete(source, query);
    expect(await readAll(scan, query, 50)).toEqual(createReference(rows).search(query));
    // 100 pages, and for each page of the answer the one it began in once more.
    expect(source.asked.length).toBeLessThan(100 + 2 * 10);
  });

  it('reads no further than a bound on the start time', async () => {
    const query = queryOf('start_time > 989', []);
    const rows = makeRuns(1_000, (i) => ({ start_time: i }));
    const source = new PartialSource(rows, query, { ...ABLE, evaluates: [false], maxPage: 10 });
    expect(await readAll(complete(source, query), query, 50)).toEqual(createReference(rows).search(query));
    expect(source.asked).toHaveLength(2);
  });

  it.each<[string, string, string[], object, RegExp]>([
    [
      'runs',
      "params.p = 'no'",
      [],
      { maxRuns: 500 },
      /more than 500 runs.*'far' cannot evaluate param.`p` = 'no'\..*maxRuns/,
    ],
    [
      'runs',
      '',
      ['metrics.m'],
      { maxRuns: 500 },
      /'far' cannot order by metric\.m, attribute\.start_time, attribute\.run_id\./,
    ],
    ['time', '', ['metrics.m'], { maxMs: 0 }, /take longer than 0 ms.*maxMs/],
    ['what is held', '', ['metrics.m'], { maxCharacters: 999 }, /more than 999 characters.*maxCharacters/],
  ])('is refused beyond its budget of %s: %s %j', async (_, filter, order, budget, message) => {
    const query = queryOf(filter, order);
    const rows = makeRuns(1_000, (i) => ({ start_time: i }));
    const abilities = { ...ABLE, evaluates: [false], orderedBy: order.length > 0 ? 0 : 1 };
    const scan = complete(new PartialSource(rows, query, abilities), query, { ...AMPLE, ...budget });
    const page = scan.fetch({ limit: 100, from: { offset: 0 } }, never);
    await expect(page).rejects.toMatchObject({
      code: 'INVALID_PARAMETER_VALUE',
      message: expect.stringMatching(message),
    });
  });

  it('holds no more than was asked for of what it orders', async () => {
    const query = queryOf('', ['metrics.m']);
    const rows = makeRuns(5_000, (i) => ({ start_time: i }));
    const scan = complete(new PartialSource(rows, query, { ...ABLE, orderedBy: 0, maxPage: 1_000 }), query, {
      ...AMPLE,
      // A page of the source comes before it is cut.
      maxCharacters: 30 * (rows[0] as string).length,
    });
    const { runs } = await scan.fetch({ limit: 10, from: { offset: 0 } }, never);
    expect(textsOf({ runs })).toEqual(rows.slice(-10).reverse());
  });
});

describe('a search of a backend that can do but a part', () => {
  it('is answered in pages whose tokens say where the backend was', async () => {
    const rows = makeRuns(
      500,
      (i) => ({ start_time: i }),
      (i) => ({ p: i % 3 === 0 ? 'third' : 'other' }),
    );
    const asked: (number | undefined)[] = [];
    const backend: RunAdapter = {
      name: 'far',
      pushDown(query) {
        const abilities = { ...ABLE, evaluates: [false], maxPage: 50, byMark: true };
        const source = new PartialSource(rows, query, abilities);
        const fetch: Scan['fetch'] = (page) => {
          asked.push(Number(page.from.mark ?? 0));
          return source.fetch(page);
        };
        return Object.assign(Object.create(source) as Scan, { fetch });
      },
      close: async () => {},
    };
    const search = createRunSearch({ backend, budget: AMPLE, dialect: () => 'sqlite', onIndexFailure: () => {} });
    const query = { filter: "params.p = 'third'", orderBy: [], view: 'all', maxResults: 40 } as const;
    const found: string[] = [];
    for (let pageToken: string | undefined = ''; pageToken !== undefined; ) {
      const planned = search({ ...query, experimentIds: ['1'], pageToken });
      if ('handOn' in planned) throw new Error(planned.handOn);
      const answer = JSON.parse(String((await planned.fetch(never)).body)) as WirePage;
      found.push(...answer.runs.map(({ info }) => info.run_id));
      pageToken = answer.next_page_token;
    }
    const expected = rows.flatMap((text, i) => (i % 3 === 0 ? decodeRun(text).runId : [])).reverse();
    expect(found).toEqual(expected);
    // A third of 50 runs each: the second page begins in the third page of the backend, the third in the fifth.
    expect(asked.filter((mark) => mark === 0)).toHaveLength(1);
  });
});

interface WirePage {
  readonly runs: readonly { readonly info: { readonly run_id: string } }[];
  readonly next_page_token?: string;
}

const ABLE: Abilities = { evaluates: [true], doubtful: false, orderedBy: 1, maxPage: 1_000, byMark: false, shuffle: 0 };

const queryOf = (filter: string, order: readonly string[]): RunQuery => ({
  experimentIds: ['1'],
  view: 'all',
  filter: parseRunFilter(filter),
  order: totalOrder(parseRunOrder(order)),
  dialect: 'sqlite',
});

function makeRuns(
  count: number,
  infoOf: (i: number) => object,
  paramsOf: (i: number) => Readonly<Record<string, string>> = () => ({}),
): string[] {
  return Array.from({ length: count }, (_, i) => {
    const info = { run_id: `${i}`.padStart(32, '0'), experiment_id: '1', lifecycle_stage: 'active', ...infoOf(i) };
    const params = Object.entries(paramsOf(i)).map(([key, value]) => ({ key, value }));
    return JSON.stringify({ info, data: { params } });
  });
}
