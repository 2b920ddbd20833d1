import type { IncomingMessage } from 'node:http';
import type { BackendCaller } from '../plan/backend-caller.ts';
import type { ReadAnswer } from '../plan/read.ts';
import type { Requester } from '../upstream/upstream-client.ts';

/** Asks the backend in a caller's words and name. No other header of theirs goes along: the answer is kept for the same words. */
export const askAs =
  (
    { authorization }: BackendCaller,
    client: Requester,
    { method = 'GET', url = '/' }: IncomingMessage,
    body?: Buffer,
  ) =>
  async (signal: AbortSignal): Promise<ReadAnswer> => {
    const headers = { authorization, ...(body && { 'content-type': 'application/json' }) };
    const answer = await client.request({ method, path: url, headers, signal, ...(body && { body }) });
    const contentType = answer.headers['content-type'] ?? 'application/json';
    return { status: answer.status, contentType, body: answer.body, source: 'backend' };
  };
