import { jsonText } from '../../src/domain/json-text.ts';
import { GatewayError, invalidParameter } from '../../src/errors/gateway-error.ts';
import { BackendAnswer } from '../../src/plan/backend-answer.ts';
import type { Requester } from '../../src/upstream/upstream-client.ts';
import { get, jsonOf } from './ask.ts';
import { printList, printMetric } from './normalise-run.ts';
import { type Fields, objectsOf, parseObject, textOf } from './wire-json.ts';

/** What Azure takes at most: it refuses 1000 and more, and MLflow's client asks for 25,000 (mlflow/mlflow#10694). */
const PAGE = 999;

/** Values of one metric of one run. */
export interface HistoryRequest {
  readonly runId: string;
  readonly metricKey: string;
  /** From 1, with no bound; all there are when absent, as in MLflow. */
  readonly maxResults?: number | undefined;
  /** Of an earlier answer. */
  readonly pageToken?: string | undefined;
}

/**
 * The answer to `metrics/get-history` as MLflow gives it, put together of as many pages as it takes. Its token is that of the
 * last page, so that the next request goes on from there.
 * @throws BackendAnswer when Azure answers anything but such a page
 * @throws GatewayError for a size that is none, and when there is no answer
 */
export async function readMetricHistory(
  client: Requester,
  { runId, metricKey, maxResults = Number.POSITIVE_INFINITY, pageToken }: HistoryRequest,
  signal?: AbortSignal,
): Promise<string> {
  if (!(maxResults >= 1))
    throw invalidParameter(
      `Invalid value ${maxResults} for parameter 'max_results' supplied. It must be a positive integer.`,
    );
  const values: Fields[] = [];
  let token = pageToken || undefined;
  do {
    const size = Math.min(PAGE, maxResults - values.length);
    const query = {
      run_id: runId,
      run_uuid: runId,
      metric_key: metricKey,
      max_results: String(size),
      ...(token !== undefined && { page_token: token }),
    };
    const page = await readPage(client, query, signal);
    if (page.token !== undefined && page.token === token)
      throw new GatewayError('TEMPORARILY_UNAVAILABLE', 'Azure Machine Learning gave the same page of a metric twice.');
    for (const value of page.values) values.push(value);
    token = page.token;
  } while (token !== undefined && values.length < maxResults);
  return jsonText({ metrics: printList(values, printMetric), next_page_token: token });
}

async function readPage(client: Requester, query: Record<string, string>, signal: AbortSignal | undefined) {
  const answer = await get(client, 'metrics/get-history', query, signal);
  const text = jsonOf(answer);
  try {
    const { metrics, next_page_token: token } = parseObject(text);
    return { values: objectsOf(metrics), token: textOf(token) || undefined };
  } catch (error) {
    if (error instanceof SyntaxError) throw new BackendAnswer(answer.status, 'application/json', answer.body);
    throw error;
  }
}
