import { BackendAnswer } from '../../src/plan/backend-answer.ts';
import type { Requester, UpstreamResponse } from '../../src/upstream/upstream-client.ts';

const API = '/api/2.0/mlflow';

/** Sends a search, whatever the answer. @throws GatewayError when there is none. */
export const post = (client: Requester, path: string, body: object, signal: AbortSignal) =>
  client.request({
    method: 'POST',
    path: `${API}/${path}`,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
    signal,
  });

/** @throws GatewayError when there is no answer. */
export const get = (client: Requester, path: string, query: Record<string, string>, signal: AbortSignal) =>
  client.request({ method: 'GET', path: `${API}/${path}?${new URLSearchParams(query)}`, signal });

export const contentTypeOf = ({ headers }: UpstreamResponse): string => String(headers['content-type'] ?? '');

/**
 * The text of a 200 that is a JSON object. A login page or another server's answer must not pass for an empty one.
 * @throws BackendAnswer for everything else.
 */
export function jsonOf(answer: UpstreamResponse): string {
  const contentType = contentTypeOf(answer);
  // `{` in bytes: most answers are large, so look before decoding.
  const isObject = contentType.startsWith('application/json') && answer.body[0] === 0x7b;
  if (answer.status !== 200 || !isObject) throw new BackendAnswer(answer.status, contentType, answer.body);
  return answer.body.toString('utf8');
}
