import {
  type PageRequest,
  PositionOutOfReach,
  type RunAdapter,
  type RunPage,
  type Scan,
} from '../../src/plan/adapter.ts';
import { BackendAnswer } from '../../src/plan/backend-answer.ts';
import type { RunQuery, View } from '../../src/query/run-query.ts';
import type { Requester, UpstreamResponse } from '../../src/upstream/upstream-client.ts';
import { jsonOf, postText } from './ask.ts';
import { compileFilter, compileOrder, type Disputed } from './compile.ts';
import { isExperimentId, knownExperiments } from './known-experiments.ts';
import { splitAzureRuns } from './normalise-run.ts';

export interface AzureRunAdapterOptions {
  /** Name of the backend. */
  readonly name: string;
  /** Disputed tests that are never sent; by default those of the start time, for which there is no document. */
  readonly withheld?: readonly Disputed[];
}

const VIEW_TYPE: Record<View, string> = { active: 'ACTIVE_ONLY', deleted: 'DELETED_ONLY', all: 'ALL' };
/** No source says that more is taken. */
const MAX_PAGE = 1_000;

/** A workspace as a source of runs. What it evaluates is checked again by the gateway, and the rest left to it. */
export function createAzureRunAdapter(client: Requester, { name, withheld }: AzureRunAdapterOptions): RunAdapter {
  const refused = new Set<Disputed>(withheld ?? ['start_time']);
  return {
    name,
    pushDown: (query) => createScan(client, query, refused),
    close: async () => {},
  };
}

/** @param refused disputed tests that are not sent; what turns out to be refused joins them */
function createScan(client: Requester, query: RunQuery, refused: Set<Disputed>): Scan {
  const { sent } = compileFilter(query.filter, refused);
  const { orderBy, orderedBy } = compileOrder(query.order);
  let experimentIds: readonly string[] = query.experimentIds.filter(isExperimentId);

  function post(filter: string, { limit, from }: PageRequest, signal: AbortSignal): Promise<UpstreamResponse> {
    const body = {
      experiment_ids: experimentIds,
      filter,
      run_view_type: VIEW_TYPE[query.view],
      order_by: [orderBy],
      max_results: Math.min(limit, MAX_PAGE),
      page_token: from.mark,
    };
    return postText(client, 'runs/search', JSON.stringify(body), signal);
  }

  async function ask(page: PageRequest, signal: AbortSignal): Promise<UpstreamResponse | undefined> {
    if (experimentIds.length === 0) return undefined;
    const { text, disputed } = compileFilter(query.filter, refused);
    const answer = await post(text, page, signal);
    if (answer.status === 404) {
      const known = await knownExperiments(client, experimentIds, signal);
      if (known.length === experimentIds.length) return answer;
      experimentIds = known;
      return ask(page, signal);
    }
    if (answer.status !== 400) return answer;
    // A token belongs to its filter, and ends.
    if (page.from.mark !== undefined) throw new PositionOutOfReach('Azure ML takes this page token no more.');
    if (disputed.size === 0) return answer;
    const { text: less } = compileFilter(query.filter, new Set([...refused, ...disputed]));
    const second = await post(less, page, signal);
    if (second.status === 200) for (const test of disputed) refused.add(test);
    return second;
  }

  return {
    residual: query.filter,
    doubtful: sent,
    orderedBy,
    resumable: false,
    describe: () => ({ filter: compileFilter(query.filter, refused).text, order_by: [orderBy] }),
    async fetch(page: PageRequest, signal): Promise<RunPage> {
      if (page.from.offset > 0 && page.from.mark === undefined)
        throw new PositionOutOfReach('Azure ML goes to no page but by its token.');
      const answer = await ask(page, signal);
      if (!answer) return { runs: [], more: false };
      const { runs, nextPageToken } = readRuns(answer);
      return { runs, more: nextPageToken !== undefined, mark: nextPageToken };
    },
  };
}

/** @throws BackendAnswer for what is no page of runs */
function readRuns(answer: UpstreamResponse) {
  const text = jsonOf(answer);
  try {
    return splitAzureRuns(text);
  } catch {
    throw new BackendAnswer(502, 'text/plain', Buffer.from('Azure ML sent a page of runs that cannot be read.'));
  }
}
