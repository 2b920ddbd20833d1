import { splitRuns } from '../../src/domain/run-text.ts';
import type { PageRequest, RunAdapter, RunPage, Scan } from '../../src/plan/adapter.ts';
import type { RunQuery, View } from '../../src/query/run-query.ts';
import type { Requester } from '../../src/upstream/upstream-client.ts';
import { jsonOf, post } from './ask.ts';
import { compileFilter, compileOrder } from './compile.ts';

/** Words of `run_view_type` and `view_type`. */
export const VIEW_TYPE = { active: 'ACTIVE_ONLY', deleted: 'DELETED_ONLY', all: 'ALL' } as const satisfies Record<
  View,
  string
>;

/** Body of a `runs/search`, under MLflow's names. */
export interface RunSearchBody {
  readonly experiment_ids: readonly string[];
  readonly filter: string;
  readonly run_view_type: (typeof VIEW_TYPE)[View];
  readonly order_by?: readonly string[];
}

/** The token that makes MLflow begin `offset` rows into an answer; none for the start, where it takes no token. */
export const pageTokenAt = (offset: number): string | undefined =>
  offset > 0 ? Buffer.from(`{"offset": ${offset}}`).toString('base64') : undefined;

/** A page as MLflow gave it. */
export interface MlflowPage extends RunPage {
  readonly runs: readonly string[];
  /** Length of the answer, in characters. */
  readonly length: number;
}

/**
 * Asks for one page of runs.
 * @throws BackendAnswer when MLflow answers anything but a page of runs; it can be relayed.
 * @throws GatewayError when there is no answer.
 */
export async function fetchRuns(
  client: Requester,
  search: RunSearchBody,
  { limit, offset }: { readonly limit: number; readonly offset: number },
  signal: AbortSignal,
): Promise<MlflowPage> {
  const body = { ...search, max_results: limit, page_token: pageTokenAt(offset) };
  const text = jsonOf(await post(client, 'runs/search', body, signal));
  const { runs, nextPageToken } = splitRuns(text);
  return { runs, more: nextPageToken !== undefined, length: text.length };
}

/** MLflow itself as a source of runs, asked in its own filter text, printed from the tree. The client stays its owner's. */
export const createMlflowAdapter = (client: Requester): RunAdapter => ({
  name: 'mlflow',
  pushDown: (query) => createScan(client, query),
  close: async () => {},
});

function createScan(client: Requester, { experimentIds, view, filter, order, dialect }: RunQuery): Scan {
  const { text, residual } = compileFilter(filter, dialect);
  const orderBy = compileOrder(order);
  const search = {
    experiment_ids: experimentIds,
    filter: text,
    run_view_type: VIEW_TYPE[view],
    ...(orderBy && { order_by: orderBy }),
  };
  return {
    residual,
    orderedBy: orderBy === undefined ? 0 : order.length,
    resumable: false,
    describe: () => search,
    fetch: async ({ limit, from }: PageRequest, signal) => {
      const { runs, more } = await fetchRuns(client, search, { limit, offset: from.offset }, signal);
      return { runs, more };
    },
  };
}
