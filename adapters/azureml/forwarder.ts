import { Readable } from 'node:stream';
import type { Forwarder, Requester, UpstreamRequest, UpstreamResponse } from '../../src/upstream/upstream-client.ts';

/** Sends on what callers ask of a workspace, under either of the prefixes that MLflow serves. Answers come whole. */
export function createForwarder(workspace: Requester, url: string): Forwarder {
  const request = async (asked: UpstreamRequest): Promise<UpstreamResponse> => {
    const answer = await workspace.request({ ...asked, path: asked.path.replace(/^\/ajax-api\//, '/api/') });
    const { 'set-cookie': _cookies, ...headers } = answer.headers;
    return { ...answer, headers };
  };
  return {
    url,
    request,
    async open(asked) {
      const { body, ...answer } = await request(asked);
      return { ...answer, body: Object.assign(Readable.from([body]), { bytes: async () => body }) };
    },
  };
}
