import { refusal } from '../azure-error.ts';
import { namedRun } from '../held-runs.ts';
import type { Metric } from '../present-run.ts';
import type { Endpoint } from '../workspace.ts';

const LIMIT = 1_000;

interface HistoryPage {
  readonly metrics?: readonly Metric[];
  readonly next_page_token?: string;
}

/** In pages also when no size was asked for, which is assumed. */
export const getMetricHistory: Endpoint = async (call, workspace) => {
  const { query } = call;
  const asked = query.get('max_results') ?? undefined;
  const isLimited = workspace.rules.historyPageLimit;
  if (isLimited && Number(asked) >= LIMIT)
    throw refusal(`MaxResults = ${asked} is invalid: MaxResults must be less than ${LIMIT}.`, {
      errorCode: 'BAD_REQUEST',
    });
  const { hex } = await namedRun(call, workspace);
  const size = asked ?? (isLimited ? `${LIMIT - 1}` : undefined);
  const page = await workspace.mlflow.get<HistoryPage>('metrics/get-history', {
    ...{ run_id: hex, metric_key: query.get('metric_key') ?? '', page_token: query.get('page_token') ?? '' },
    ...(size === undefined ? {} : { max_results: size }),
  });
  return { metrics: page.metrics ?? [], next_page_token: page.next_page_token };
};
