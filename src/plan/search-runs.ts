import type { Dialect } from '../domain/dialect.ts';
import { decodeRun, type RunJson } from '../domain/run-text.ts';
import { GatewayError } from '../errors/gateway-error.ts';
import { type Breaker, Refusal } from '../faults/breaker.ts';
import { type Filter, type Leaf, leavesOf } from '../query/ast.ts';
import { FilterSyntaxError } from '../query/filter-syntax-error.ts';
import { cursorOf, totalOrder } from '../query/order.ts';
import { type Bookmark, queryText, readPageToken, writePageToken } from '../query/page-token.ts';
import { parseRunFilter } from '../query/parse-filter.ts';
import { parseRunOrder } from '../query/parse-order.ts';
import type { RunQuery, View } from '../query/run-query.ts';
import { isExact, PositionOutOfReach, type RunAdapter, type RunPage, type Scan } from './adapter.ts';
import { type Completion, completeScan } from './complete-scan.ts';
import type { Feed } from './feed.ts';
import { mergeScans } from './merge-scans.ts';
import { type Consistency, dependency, type HandOn, type PlannedRead, type ReadAnswer, type Source } from './read.ts';
import type { ScanBudget } from './scan-budget.ts';

/** A `runs/search` whose JSON is plainly what MLflow documents; filter, order and token are still text. */
export interface RunSearch {
  /** Decimal ids without leading zeros, in any order. */
  readonly experimentIds: readonly string[];
  readonly filter: string;
  readonly orderBy: readonly string[];
  readonly view: View;
  /** 1 to 50,000. */
  readonly maxResults: number;
  readonly pageToken: string;
  /** As the gateway is configured unless said. */
  readonly consistency?: Consistency | undefined;
}

/** A runs index with the feed that says when it may be asked. */
export interface IndexSource {
  readonly adapter: RunAdapter;
  readonly feed: Pick<Feed, 'ready' | 'lagMs'>;
  /** Opened by every failure, so that searches do not queue behind a dead index. */
  readonly breaker: Breaker;
}

export interface RunSearchSources {
  readonly backend: RunAdapter;
  /** What may be spent to make good what the backend cannot do; without it the backend is handed what it cannot. */
  readonly budget?: ScanBudget;
  /** Absent without one. Read once a search: a rebuild replaces it. */
  readonly index?: IndexSource | undefined;
  readonly consistency?: Consistency;
  /** The backend's dialect, undefined until it is known. */
  dialect(): Dialect | undefined;
  /** Clauses and order keys, together, up to which a search is understood; by default what MLflow's databases take. */
  readonly maxClauses?: number;
  /** Told whenever the index could have answered and failed to. */
  onIndexFailure(error: unknown): void;
}

/**
 * Clauses and order keys, together, up to which a search is understood. MLflow joins a table for each, and its databases
 * stop at some 60 joins with an error that only they can word.
 */
const MAX_CLAUSES = 40;

/** An index that is further behind is not asked as it is, whatever the caller puts up with. */
const MAX_LAG_MS = 10_000;

/** Turns searches into reads: from the index when it can answer exactly and is up to date, else from the backend. */
export function createRunSearch(sources: RunSearchSources): (search: RunSearch) => PlannedRead | HandOn {
  /** How far behind the index may be asked; undefined when not at all. */
  async function lagOf(
    feed: Pick<Feed, 'ready' | 'lagMs'>,
    ids: readonly string[],
    of: Consistency,
    signal: AbortSignal,
  ) {
    const lagMs = of === 'eventual' ? feed.lagMs(ids) : undefined;
    if (lagMs !== undefined && lagMs <= MAX_LAG_MS) return lagMs;
    return (await feed.ready(ids, signal)) ? 0 : undefined;
  }

  async function askIndex(
    { adapter, feed, breaker }: IndexSource,
    query: RunQuery,
    page: Page,
    consistency: Consistency,
    signal: AbortSignal,
  ) {
    if (!breaker.isClosed) return undefined;
    const scan = adapter.pushDown(query);
    if (!isExact(scan, query)) return undefined;
    try {
      const lagMs = await lagOf(feed, query.experimentIds, consistency, signal);
      return lagMs === undefined ? undefined : { ...(await answer(scan, 'index', query, page, signal)), lagMs };
    } catch (error) {
      if (signal.aborted) throw error;
      if (!(error instanceof PositionOutOfReach || error instanceof Refusal)) {
        breaker.trip(error);
        sources.onIndexFailure(error);
      }
      return undefined;
    }
  }

  return (search) => {
    const parsed = understand(search, sources.dialect(), sources.maxClauses ?? MAX_CLAUSES);
    if ('handOn' in parsed) return parsed;
    const { query, from } = parsed;
    const page = { limit: search.maxResults, from };
    const { consistency = sources.consistency ?? 'strict' } = search;
    const { name } = sources.backend;
    const pushed = sources.backend.pushDown(query);
    const backend = sources.budget ? completed(pushed, query, { source: name, budget: sources.budget }) : pushed;
    if (!isExact(backend, query)) return { handOn: 'The backend has no spelling for this search.' };
    return {
      resource: 'runSearch',
      concern: { kind: 'runs-of', experimentIds: query.experimentIds },
      key: `runs/search ${queryText(query)} ${page.limit} ${search.pageToken}`,
      dependsOn: [dependency.backend, ...query.experimentIds.map(dependency.runsOf)],
      async fetch(signal) {
        const { index } = sources;
        const found = index && (await askIndex(index, query, page, consistency, signal));
        return found ?? answer(backend, 'backend', query, page, signal);
      },
    };
  };
}

function understand(
  search: RunSearch,
  dialect: Dialect | undefined,
  maxClauses: number,
): { query: RunQuery; from: Bookmark } | HandOn {
  if (!dialect) return { handOn: 'The database of the backend is not known yet.' };
  try {
    const filter = parseRunFilter(search.filter);
    const asked = parseRunOrder(search.orderBy);
    const leaves = filter ? leavesOf(filter) : [];
    if (leaves.length + asked.length > maxClauses) return { handOn: `More than ${maxClauses} clauses.` };
    if (leaves.some((leaf) => !isDefinedIn(leaf, dialect)))
      return { handOn: `The ${dialect} database refuses a value.` };
    const query = toQuery(search, filter, totalOrder(asked), dialect);
    const from = readPageToken(query, search.pageToken);
    return from ? { query, from } : { handOn: 'A page token that only the backend can judge.' };
  } catch (error) {
    if (error instanceof FilterSyntaxError) return { handOn: error.message };
    throw error;
  }
}

/** MySQL's driver refuses infinities. */
const isDefinedIn = (leaf: Leaf, dialect: Dialect) =>
  dialect !== 'mysql' || leaf.kind !== 'compare' || Math.abs(Number(leaf.value)) !== Number.POSITIVE_INFINITY;

const byNumber = (a: string, b: string) => a.length - b.length || (a < b ? -1 : 1);

const toQuery = (
  { experimentIds, view }: RunSearch,
  filter: Filter | undefined,
  order: RunQuery['order'],
  dialect: Dialect,
): RunQuery => ({
  experimentIds: [...new Set(experimentIds)].sort(byNumber),
  view,
  filter,
  order,
  dialect,
});

const completed = (scan: Scan, query: RunQuery, completion: Completion): Scan =>
  isExact(scan, query)
    ? scan
    : mergeScans(new Map([[completion.source, completeScan(scan, query, completion)]]), query);

interface Page {
  readonly limit: number;
  readonly from: Bookmark;
}

async function answer(
  scan: Scan,
  source: Source,
  query: RunQuery,
  { limit, from }: Page,
  signal: AbortSignal,
): Promise<ReadAnswer> {
  const page = await scan.fetch({ limit, from: { ...from, offset: Math.max(0, from.offset) } }, signal);
  // After an offset below zero, MLflow's next page begins before the end of this one.
  const byCursor = scan.resumable && from.offset >= 0;
  const token = page.more ? nextToken(query, page, from.offset + limit, byCursor) : undefined;
  return { status: 200, contentType: 'application/json', body: presentRuns(page.runs, token), source };
}

/** The answer of `runs/search`, whose runs are there when there is a token. */
function presentRuns(runs: readonly RunJson[], nextPageToken: string | undefined): Buffer {
  // proto2 JSON leaves empty lists out.
  if (runs.length === 0) return Buffer.from('{}');
  const list = runs.flatMap((run, i) => (i === 0 ? [run] : [',', run]));
  const token = nextPageToken === undefined ? '' : `,"next_page_token":"${nextPageToken}"`;
  return toBytes(['{"runs":[', ...list, ']', token, '}']);
}

/** Parts one after the other, each copied once: a page is some hundred kilobytes. */
function toBytes(parts: readonly RunJson[]): Buffer {
  const bytes = Buffer.allocUnsafe(parts.reduce((sum, part) => sum + Buffer.byteLength(part), 0));
  parts.reduce((end, part) => end + (typeof part === 'string' ? bytes.write(part, end) : part.copy(bytes, end)), 0);
  return bytes;
}

function nextToken(query: RunQuery, { runs, below }: RunPage, offset: number, byCursor: boolean): string {
  const last = runs.at(-1);
  if (last === undefined) throw new GatewayError('INTERNAL_ERROR', 'A source announced more rows and gave none.');
  if (!byCursor) return writePageToken(query, { offset });
  return writePageToken(query, { offset, cursor: cursorOf(decodeRun(last), query.order), ...(below && { below }) });
}
