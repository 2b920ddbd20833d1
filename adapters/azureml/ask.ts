import { BackendAnswer } from '../../src/plan/backend-answer.ts';
import type { Requester, UpstreamResponse } from '../../src/upstream/upstream-client.ts';

const API = '/api/2.0/mlflow';

/** Sends JSON text, whatever the answer. @throws GatewayError when there is none. */
export const postText = (client: Requester, path: string, body: string, signal: AbortSignal | undefined) =>
  client.request({
    method: 'POST',
    path: `${API}/${path}`,
    headers: { 'content-type': 'application/json' },
    body,
    ...(signal && { signal }),
  });

/** @throws GatewayError when there is no answer. */
export const get = (client: Requester, path: string, query: Record<string, string>, signal: AbortSignal | undefined) =>
  client.request({
    method: 'GET',
    path: `${API}/${path}?${new URLSearchParams(query)}`,
    ...(signal && { signal }),
  });

/**
 * The text of a 200 that is a JSON object.
 * @throws BackendAnswer for everything else.
 */
export function jsonOf({ status, headers, body }: UpstreamResponse): string {
  const contentType = String(headers['content-type'] ?? '');
  // `{` in bytes: most answers are large, so look before decoding.
  if (status !== 200 || !contentType.startsWith('application/json') || body[0] !== 0x7b)
    throw new BackendAnswer(status, contentType, body);
  return body.toString('utf8');
}
