import { BackendAnswer } from '../../src/plan/backend-answer.ts';
import type { Requester, UpstreamRequest, UpstreamResponse } from '../../src/upstream/upstream-client.ts';
import { checkExperimentName } from './experiment-name.ts';
import { logBatch } from './log-batch.ts';
import { type HistoryRequest, readMetricHistory } from './metric-history.ts';
import { normaliseAnswer } from './normalise-answer.ts';
import { parseObject } from './wire-json.ts';

/**
 * A workspace, asked as if it were an MLflow server: batches and histories of any size, and answers as MLflow prints them.
 * Searches of runs go as they are: which filters Azure takes is for who compiles them.
 * @throws GatewayError from `request`, as the client, and for the name of an experiment that Azure would lose
 */
export const createMlflowRequester = (client: Requester): Requester => ({
  async request(request) {
    const { method, path, signal } = request;
    const [, endpoint = ''] = /^\/api\/2\.0\/mlflow\/([^?]*)/.exec(path) ?? [];
    const asked = `${method} ${endpoint}`;
    if (asked === 'POST experiments/create') checkExperimentName(nameIn(request));
    const history = asked === 'GET metrics/get-history' ? historyAskedFor(path) : undefined;
    if (history) return answerHistory(client, history, signal);
    const answer =
      asked === 'POST runs/log-batch' ? await logBatch(client, bodyOf(request), signal) : await client.request(request);
    return asMlflow(path, answer);
  },
});

const bodyOf = ({ body = '' }: UpstreamRequest) =>
  typeof body === 'string' ? body : Buffer.from(body).toString('utf8');

/** Empty where it cannot be told: then Azure says what is wrong. */
function nameIn(request: UpstreamRequest): string {
  try {
    const { name } = parseObject(bodyOf(request));
    return typeof name === 'string' ? name : '';
  } catch {
    return '';
  }
}

/** Undefined where something is missing: then Azure says what. */
function historyAskedFor(path: string): HistoryRequest | undefined {
  const query = new URL(path, 'https://workspace').searchParams;
  const runId = query.get('run_id') || query.get('run_uuid');
  const metricKey = query.get('metric_key');
  if (!runId || !metricKey) return undefined;
  const size = query.get('max_results') ?? '';
  return {
    runId,
    metricKey,
    // MLflow takes what is no integer for absent.
    maxResults: /^\s*[+-]?\d+\s*$/.test(size) ? Number(size) : undefined,
    pageToken: query.get('page_token') ?? undefined,
  };
}

async function answerHistory(
  client: Requester,
  history: HistoryRequest,
  signal: AbortSignal | undefined,
): Promise<UpstreamResponse> {
  try {
    const text = await readMetricHistory(client, history, signal);
    return { status: 200, headers: { 'content-type': 'application/json' }, body: Buffer.from(text) };
  } catch (error) {
    if (!(error instanceof BackendAnswer)) throw error;
    return { status: error.status, headers: { 'content-type': error.contentType }, body: error.body };
  }
}

/** What is no answer of the endpoint's stays as it is. */
function asMlflow(path: string, answer: UpstreamResponse): UpstreamResponse {
  const { 'content-length': _length, ...headers } = answer.headers;
  if (answer.status !== 200 || !headers['content-type']?.startsWith('application/json')) return answer;
  try {
    return { status: 200, headers, body: Buffer.from(normaliseAnswer(path, answer.body.toString('utf8'))) };
  } catch (error) {
    if (error instanceof SyntaxError) return answer;
    throw error;
  }
}
