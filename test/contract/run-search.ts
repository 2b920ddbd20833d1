import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { decodeRun } from '../../src/domain/run-text.ts';
import { isExact, type RunAdapter } from '../../src/plan/adapter.ts';
import { FilterSyntaxError } from '../../src/query/filter-syntax-error.ts';
import { cursorOf, totalOrder } from '../../src/query/order.ts';
import { parseRunFilter } from '../../src/query/parse-filter.ts';
import { parseRunOrder } from '../../src/query/parse-order.ts';
import type { RunQuery, View } from '../../src/query/run-query.ts';
import { queryOver } from '../fixtures/run-arbitraries.ts';
import { answerOf, createReference, type Reference, rowsInPages } from '../fixtures/run-reference.ts';
import { type CaseRun, type SearchCase, searchCases, withRunIds } from '../fixtures/search-cases.ts';

/** An adapter over the runs of the case file, whose database is SQLite. */
export interface LoadedSource {
  readonly adapter: RunAdapter;
  /** Every run it holds, deleted ones included, as MLflow's JSON. */
  readonly runs: readonly string[];
  readonly experimentIdOf: ReadonlyMap<string, string>;
  close(): Promise<void>;
}

export interface RunSearchContract {
  /** Cases that the adapter leaves to the gateway, in part or whole, each with the reason; all others it must not. */
  readonly leaves?: Readonly<Record<string, string>>;
  /** Cases whose runs the backend keeps otherwise than they were logged, each with the reason, so that the answer is another one. */
  readonly differs?: Readonly<Record<string, string>>;
  /** Whether it takes any boolean tree. */
  readonly anyTree?: boolean;
  readonly randomQueries?: number;
}

const VIEWS: Record<string, View> = { ALL: 'all', DELETED_ONLY: 'deleted' };
const never = new AbortController().signal;

/** What every source of runs owes to the planner: rows that `evaluate` and `compareRuns` would have chosen. */
export function itAnswersRunSearches(
  open: (dataset: readonly CaseRun[]) => Promise<LoadedSource>,
  { leaves = {}, differs = {}, anyTree = false, randomQueries = 100 }: RunSearchContract = {},
) {
  let source: LoadedSource;
  let reference: Reference;
  beforeAll(async () => {
    source = await open(searchCases.dataset);
    reference = createReference(source.runs);
  });
  afterAll(() => source.close());

  const idOf = (name: string) => reference.runs.find(({ runName }) => runName === name)?.runId ?? name;
  /** Names of a case's answer; a group of equals is in the order of its run ids. */
  const inOrder = (names: NonNullable<SearchCase['runs']>): string[] =>
    names.flatMap((entry) =>
      typeof entry === 'string' ? entry : [...entry].sort((a, b) => (idOf(a) < idOf(b) ? -1 : 1)),
    );

  const queryOf = ({
    filter = '',
    order_by = [],
    run_view_type = '',
    experiments = ['main'],
  }: SearchCase): RunQuery => ({
    experimentIds: experiments.map((label) => source.experimentIdOf.get(label) ?? label),
    view: VIEWS[run_view_type] ?? 'active',
    filter: parseRunFilter(withRunIds(filter, idOf)),
    order: totalOrder(parseRunOrder(order_by)),
    dialect: 'sqlite',
  });

  it.each(searchCases.cases.filter(isUnderstood))('$name: $filter $order_by', async (searchCase) => {
    const query = queryOf(searchCase);
    const found = await answerOf(source.adapter, query);
    expect(found).toEqual(reference.search(query));
    if (searchCase.max_results === undefined && !searchCase.page_token) {
      const observed = inOrder(searchCase.runs ?? []);
      if (searchCase.name in differs) expect(found.map(nameOf)).not.toEqual(observed);
      else expect(found.map(nameOf)).toEqual(observed);
    }
    const scan = source.adapter.pushDown(query);
    expect(!isExact(scan, query), leaves[searchCase.name]).toBe(searchCase.name in leaves);
  });

  it('names no case that it leaves to the gateway in vain', () => {
    const names = searchCases.cases.filter(isUnderstood).map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining(Object.keys({ ...leaves, ...differs })));
  });

  it('answers random searches as the reference does', async () => {
    const query = queryOver(reference.runs, { dialect: 'sqlite', anyTree });
    const property = fc.asyncProperty(query, async (asked) => {
      expect(await answerOf(source.adapter, asked)).toEqual(reference.search(asked));
    });
    await fc.assert(property, { numRuns: randomQueries });
  });

  const ORDERS = [
    [],
    ['metrics.acc DESC'],
    ['metrics.nanm'],
    ['params.model'],
    ['tags.team DESC'],
    ['end_time', 'status DESC'],
    ['end_time DESC'],
    ['run_name'],
    ['run_name DESC', 'end_time'],
  ];
  const PAGES = ORDERS.flatMap((order_by) => [1, 4].map((limit) => ({ order_by, limit })));

  it.each(PAGES)('pages of $limit by $order_by make up the answer', async ({ order_by, limit }) => {
    const query = queryOf({
      name: 'pages',
      expect: 'ok',
      order_by,
      run_view_type: 'ALL',
      experiments: ['main', 'tie'],
    });
    const scan = source.adapter.pushDown(query);
    expect(scan.orderedBy).toBe(query.order.length);
    const byOffset = await rowsInPages(scan, limit, (offset) => ({ offset }));
    const byCursor = await rowsInPages(scan, limit, (offset, last) => ({
      offset,
      cursor: cursorOf(decodeRun(last), query.order),
    }));
    expect(byOffset).toEqual(reference.search(query));
    expect(byCursor).toEqual(reference.search(query));
  });

  it('has nothing past the end', async () => {
    const scan = source.adapter.pushDown(queryOf({ name: 'end', expect: 'ok' }));
    expect(await scan.fetch({ limit: 5, from: { offset: 1_000 } }, never)).toEqual({ runs: [], more: false });
  });

  it('stops when the client hangs up', async () => {
    const scan = source.adapter.pushDown(queryOf({ name: 'abort', expect: 'ok' }));
    const aborted = scan.fetch({ limit: 5, from: { offset: 0 } }, AbortSignal.abort());
    await expect(aborted).rejects.toMatchObject({ code: 'CANCELLED' });
  });
}

function isUnderstood({ expect: outcome, filter = '', order_by = [] }: SearchCase): boolean {
  try {
    parseRunFilter(withRunIds(filter, () => ''));
    parseRunOrder(order_by);
    return outcome === 'ok';
  } catch (error) {
    if (error instanceof FilterSyntaxError) return false;
    throw error;
  }
}

const nameOf = (text: string) => decodeRun(text).runName ?? '';
