import type { IncomingMessage } from 'node:http';
import { RequestRefused } from '../errors/request-refused.ts';
import type { Forwarder } from '../upstream/upstream-client.ts';
import { bodyUpTo } from './body.ts';
import { sendError } from './error-response.ts';
import type { PassThrough } from './pass-through.ts';
import { originalOf, relay } from './relay.ts';

/** Where no artifacts are streamed nobody sends more, in bytes. */
const MAX_BODY = 33_554_432;

/**
 * The way of everything the gateway does not answer itself, to a backend that takes and gives whole messages only.
 * @param onFailure told of failures that are not the backend's
 */
export function createWholePassThrough(backend: Forwarder, onFailure: (error: unknown) => void): PassThrough {
  async function exchange(req: IncomingMessage) {
    const body = await bodyUpTo(MAX_BODY, req);
    if (!body) throw new RequestRefused(413, `The body is longer than ${MAX_BODY} bytes.`);
    return backend.request(originalOf(req, body));
  }
  return {
    exchange,
    async stream(req, res) {
      try {
        relay(await exchange(req), res);
      } catch (error) {
        if (sendError(res, error).code === 'INTERNAL_ERROR') onFailure(error);
      }
    },
    close: () => undefined,
  };
}
