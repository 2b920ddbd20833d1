import type { Get } from '../plan/single-reads.ts';
import type { Requester } from '../upstream/upstream-client.ts';

/** Asks the backend in the gateway's name, or nobody's, so that the answer may be shared. */
export const createGet =
  (client: Requester): Get =>
  async (path, signal) => {
    const { status, headers, body } = await client.request({ method: 'GET', path, signal });
    return { status, contentType: headers['content-type'] ?? 'application/json', body, source: 'backend' };
  };
