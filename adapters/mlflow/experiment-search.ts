import type { SearchExperiments } from '../../src/plan/search-experiments.ts';
import type { Requester } from '../../src/upstream/upstream-client.ts';
import { contentTypeOf, post } from './ask.ts';
import { VIEW_TYPE } from './run-adapter.ts';

/** Asks MLflow for experiments. Its answer comes back whole, errors too. */
export const createExperimentSearch =
  (client: Requester): SearchExperiments =>
  async ({ filter, orderBy, view, maxResults, pageToken }, signal) => {
    const body = {
      filter,
      order_by: orderBy,
      view_type: VIEW_TYPE[view],
      max_results: maxResults,
      page_token: pageToken,
    };
    const answer = await post(client, 'experiments/search', body, signal);
    return { status: answer.status, contentType: contentTypeOf(answer), body: answer.body, source: 'backend' };
  };
