import { splitRuns } from '../src/domain/run-text.ts';
import type { RunSearch } from '../src/plan/search-runs.ts';
import { toApiRequest } from './api-request.ts';
import type { Ask } from './connection.ts';
import type { RecordedRequest } from './recorder.ts';
import type { SearchShape } from './search-shapes.ts';

const PAGE_SIZE = 100;

/** The first page. */
export const toSearch = (shape: SearchShape, experimentIds: readonly string[]): RunSearch => ({
  experimentIds: experimentIds.slice(0, shape.experiments),
  filter: shape.filter ?? '',
  orderBy: shape.orderBy ?? [],
  view: 'active',
  maxResults: shape.pageSize ?? PAGE_SIZE,
  pageToken: '',
});

/** The page that is timed, reached by following the tokens of the pages before. @throws Error when these end earlier. */
export async function turnPages(ask: Ask, shape: SearchShape, experimentIds: readonly string[]): Promise<RunSearch> {
  let search = toSearch(shape, experimentIds);
  for (let i = 0; i < (shape.skipPages ?? 0); i++) {
    const { nextPageToken: pageToken } = splitRuns((await ask(toRequest(search))).toString());
    if (pageToken === undefined) throw new Error(`${shape.name}: there is no page ${i + 2}`);
    search = { ...search, pageToken };
  }
  return search;
}

export const toRequest = ({ experimentIds, filter, orderBy, maxResults, pageToken }: RunSearch): RecordedRequest =>
  toApiRequest('search', {
    experiment_ids: experimentIds,
    filter,
    order_by: orderBy,
    max_results: maxResults,
    ...(pageToken && { page_token: pageToken }),
  });
