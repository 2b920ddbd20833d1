import type { Forwarder, UpstreamRequest, UpstreamResponse } from './upstream-client.ts';

/**
 * The client for requests of callers whom the gateway lets in itself (`auth.mode` other than `passthrough`): they go on in its
 * name. Cookies are not handed out: one may be as good as the name.
 */
export function createOwnForwarder(client: Forwarder, authorization: string | undefined): Forwarder {
  if (authorization === undefined) return client;
  const signed = (request: UpstreamRequest) => ({ ...request, headers: { ...request.headers, authorization } });
  return {
    url: client.url,
    request: async (request) => withoutCookies(await client.request(signed(request))),
    open: async (request) => withoutCookies(await client.open(signed(request))),
  };
}

function withoutCookies<T extends Pick<UpstreamResponse, 'headers'>>(answer: T): T {
  delete answer.headers['set-cookie'];
  return answer;
}
