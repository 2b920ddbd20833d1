import type { Get } from '../plan/single-reads.ts';
import type { UpstreamClient } from '../upstream/upstream-client.ts';

/** Asks the backend in nobody's name, so that the answer may be shared. */
export const createGet =
  (upstream: UpstreamClient): Get =>
  async (path, signal) => {
    const { status, headers, body } = await upstream.request({ method: 'GET', path, signal });
    return { status, contentType: headers['content-type'] ?? 'application/json', body, source: 'backend' };
  };
