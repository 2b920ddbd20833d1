import { BackendAnswer } from '../../src/plan/backend-answer.ts';
import type { Requester, UpstreamRequest, UpstreamResponse } from '../../src/upstream/upstream-client.ts';
import { createRun } from './create-run.ts';
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
    const answer = await (WAYS.get(asked) ?? askAsIs)(client, request);
    return asMlflow(path, answer);
  },
});

/** How requests are made that Azure does not take as MLflow does. */
const WAYS: ReadonlyMap<string, (client: Requester, request: UpstreamRequest) => Promise<UpstreamResponse>> = new Map([
  ['POST runs/log-batch', (client, request) => logBatch(client, bodyOf(request), request.signal)],
  ['POST runs/create', (client, request) => createRun(client, request, bodyOf(request))],
  ['GET registered-models/search', searchModels],
  ['GET model-versions/search', searchModels],
]);

const askAsIs = (client: Requester, request: UpstreamRequest) => client.request(request);

/** Without the term that MLflow's clients add and Azure refuses: it has no prompts that the rest could find. */
function searchModels(client: Requester, request: UpstreamRequest): Promise<UpstreamResponse> {
  const url = new URL(request.path, 'https://workspace');
  const filter = url.searchParams.get('filter');
  if (!filter?.endsWith(NO_PROMPTS)) return client.request(request);
  const rest = filter.slice(0, -NO_PROMPTS.length);
  if (rest === '') url.searchParams.delete('filter');
  else if (rest.endsWith(' AND ')) url.searchParams.set('filter', rest.slice(0, -' AND '.length));
  return client.request({ ...request, path: url.pathname + url.search });
}

/** As `add_prompt_filter_string` of MLflow's clients writes it (`mlflow/prompt/registry_utils.py`; Azure/azure-sdk-for-python#42155). */
const NO_PROMPTS = "tag.`mlflow.prompt.is_prompt` != 'true'";

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
