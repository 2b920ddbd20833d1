import { describe, expect, it, onTestFinished } from 'vitest';
import type { Dialect } from '../../../src/domain/dialect.ts';
import { GatewayError } from '../../../src/errors/gateway-error.ts';
import { Breaker } from '../../../src/faults/breaker.ts';
import {
  type PageRequest,
  PositionOutOfReach,
  type RunAdapter,
  type RunPage,
  type Scan,
} from '../../../src/plan/adapter.ts';
import type { Consistency, ReadAnswer } from '../../../src/plan/read.ts';
import { createRunSearch, type RunSearch } from '../../../src/plan/search-runs.ts';
import type { RunQuery } from '../../../src/query/run-query.ts';

const run = (id: string) =>
  `{"info":{"run_id":"${id}","experiment_id":"1","start_time":9223372036854775807,"lifecycle_stage":"active"},"data":{}}`;

interface Source {
  readonly adapter: RunAdapter;
  readonly asked: RunQuery[];
  readonly pages: PageRequest[];
}

/** A source that gives one page, or throws, whatever it is asked. */
function source(
  outcome: RunPage | Error,
  shape: Partial<Pick<Scan, 'residual' | 'orderedBy' | 'resumable'>> = {},
): Source {
  const asked: RunQuery[] = [];
  const pages: PageRequest[] = [];
  const scan = (query: RunQuery): Scan => ({
    residual: undefined,
    orderedBy: query.order.length,
    resumable: true,
    describe: () => query,
    fetch: async (page) => {
      asked.push(query);
      pages.push(page);
      if (outcome instanceof Error) throw outcome;
      return outcome;
    },
    ...shape,
  });
  return {
    adapter: { name: 'one page', pushDown: scan, close: async () => undefined },
    asked,
    pages,
  };
}

const BACKEND: RunPage = { runs: [run('b')], more: true };
const INDEX: RunPage = { runs: [run('i')], more: true };
const SEARCH: RunSearch = {
  experimentIds: ['2', '10', '2'],
  filter: '',
  orderBy: [],
  view: 'active',
  maxResults: 1,
  pageToken: '',
};

function setUp({
  index = source(INDEX),
  ready = true,
  dialect = 'sqlite' as Dialect | 'unknown',
  withIndex = true,
  resumable = false,
  lagMs = undefined as number | undefined,
  consistency = 'strict' as Consistency,
} = {}) {
  const backend = source(BACKEND, { resumable });
  const failures: unknown[] = [];
  const breaker = new Breaker({ name: 'index', probe: async () => {}, firstMs: 2_000, maxMs: 2_000 });
  onTestFinished(() => breaker.stop());
  const plan = createRunSearch({
    backend: backend.adapter,
    index: withIndex
      ? {
          adapter: index.adapter,
          feed: { ready: async () => ready, lagMs: () => lagMs },
          breaker,
        }
      : undefined,
    consistency,
    dialect: () => (dialect === 'unknown' ? undefined : dialect),
    onIndexFailure: (error) => failures.push(error),
  });
  const search = async (changes: Partial<RunSearch> = {}) => {
    const planned = plan({ ...SEARCH, ...changes });
    return 'handOn' in planned ? planned : planned.fetch(new AbortController().signal);
  };
  return { plan, search, backend, index, failures };
}

const sourceOf = async (answer: Promise<object>) =>
  'source' in (await answer) ? ((await answer) as { source: string }).source : 'handed on';

async function nextTokenOf({ search }: ReturnType<typeof setUp>, offset: number) {
  const answer = await search({ maxResults: 5, pageToken: btoa(`{"offset": ${offset}}`) });
  return JSON.parse(atob(JSON.parse(String((answer as ReadAnswer).body)).next_page_token));
}

describe('a search', () => {
  it('is answered by the index when it is up to date', async () => {
    expect(await sourceOf(setUp().search())).toBe('index');
  });

  it.each([
    ['there is no index', { withIndex: false }],
    ['the feed is behind', { ready: false }],
    ['the index leaves a residual', { index: source(INDEX, { residual: { kind: 'and', terms: [] } }) }],
    ['the index has no such order', { index: source(INDEX, { orderedBy: 0 }) }],
    ['the index fails', { index: source(new GatewayError('TEMPORARILY_UNAVAILABLE', 'down')) }],
    ['the index cannot go to the page', { index: source(new PositionOutOfReach()) }],
  ])('is answered by the backend when %s', async (_reason, options) => {
    expect(await sourceOf(setUp(options).search())).toBe('backend');
  });

  it.each([
    ['eventual' as const, { lagMs: 10_000 }, {}],
    ['eventual' as const, { lagMs: 0 }, {}],
    ['eventual' as const, { lagMs: 70 }, { consistency: 'strict' as const }],
  ])('that may be %s is answered by an index that is behind, with %j', async (consistency, { lagMs }, configured) => {
    const { search } = setUp({ ready: false, lagMs, ...configured });
    expect(await search({ consistency })).toMatchObject({ source: 'index', lagMs });
  });

  it.each([
    ['an index far behind', { lagMs: 10_001, consistency: 'eventual' as const }, {}],
    ['an index that cannot be asked', { lagMs: undefined, consistency: 'eventual' as const }, {}],
    ['a caller who wants all', { lagMs: 5, consistency: 'eventual' as const }, { consistency: 'strict' as const }],
    ['a gateway that is strict', { lagMs: 5 }, {}],
  ])('waits for the index all the same with %s', async (_why, options, asked) => {
    expect(await sourceOf(setUp({ ready: false, ...options }).search(asked))).toBe('backend');
    expect(await setUp({ ready: true, ...options }).search(asked)).toMatchObject({ source: 'index', lagMs: 0 });
  });

  it('leaves a failing index alone for a while, and reports it once', async () => {
    const { search, index, failures } = setUp({
      index: source(new Error('boom')),
    });
    await search();
    await search();
    expect([index.asked.length, failures.length]).toEqual([1, 1]);
  });

  it('does not blame the index for a page out of its reach', async () => {
    const { search, index, failures } = setUp({
      index: source(new PositionOutOfReach()),
    });
    await search();
    await search();
    expect([index.asked.length, failures.length]).toEqual([2, 0]);
  });

  it.each([
    ['a filter it does not know', { filter: 'a OR b' }],
    ['an order it does not know', { orderBy: ['x y z'] }],
    ['more clauses than databases join', { filter: "params.a = 'b' AND ".repeat(41) }],
    ['a token only the backend can judge', { pageToken: 'abc' }],
  ])('is handed on for %s', async (_reason, changes) => {
    expect(await sourceOf(setUp().search(changes))).toBe('handed on');
  });

  it('is handed on where databases differ and this one is not known', async () => {
    expect(await sourceOf(setUp({ dialect: 'unknown' }).search())).toBe('handed on');
    expect(await sourceOf(setUp({ dialect: 'mysql' }).search({ filter: 'metrics.a < 1e400' }))).toBe('handed on');
  });

  it('has one key and one set of dependencies for all its spellings', () => {
    const { plan } = setUp();
    const one = plan({
      ...SEARCH,
      filter: "params.a = 'b' AND attr.Created > 5",
      orderBy: ['metrics.m ASC'],
    });
    const other = plan({
      ...SEARCH,
      experimentIds: ['10', '2'],
      filter: 'start_time > 5.0 and param.`a`="b"',
      orderBy: ['metric."m"'],
    });
    expect(one).toMatchObject({
      dependsOn: ['backend', 'experiment:2', 'experiment:10'],
    });
    expect(JSON.stringify(one)).toBe(JSON.stringify(other));
  });

  it('goes on after the last row: by cursor from a source that can resume, else by offset', async () => {
    const goesOnAfter = (id: string) => ({ offset: 15, after: [['9223372036854775807'], [id]] });
    expect(await nextTokenOf(setUp(), 10)).toMatchObject(goesOnAfter('i'));
    expect(await nextTokenOf(setUp({ ready: false }), 10)).toEqual({ offset: 15 });
    expect(await nextTokenOf(setUp({ ready: false, resumable: true }), 10)).toMatchObject(goesOnAfter('b'));
  });

  it('begins at the start for an offset below zero, and counts on from it', async () => {
    const gateway = setUp({ ready: false });
    expect(await nextTokenOf(gateway, -3)).toEqual({ offset: 2 });
    expect(await nextTokenOf(setUp(), -3)).toEqual({ offset: 2 });
    expect(gateway.backend.pages).toEqual([{ limit: 5, from: { offset: 0 } }]);
  });

  it('splices runs as they are, and says nothing of an empty list', async () => {
    const some = await setUp({
      index: source({ runs: [run('a'), run('b')], more: false }),
    }).search();
    expect(String((some as ReadAnswer).body)).toBe(`{"runs":[${run('a')},${run('b')}]}`);
    const none = await setUp({
      index: source({ runs: [], more: false }),
    }).search();
    expect(String((none as ReadAnswer).body)).toBe('{}');
  });
});
