import type { Requester } from './upstream-client.ts';

/**
 * The client for what the gateway asks in its own name. Requests of callers never go this way: one who sent no
 * `Authorization` would be the gateway then.
 */
export const createOwnRequester = (client: Requester, authorization: string | undefined): Requester =>
  authorization === undefined
    ? client
    : { request: (request) => client.request({ ...request, headers: { ...request.headers, authorization } }) };
