import type { IncomingMessage } from 'node:http';
import { GatewayError } from '../../errors/gateway-error.ts';

/**
 * The body of a request as it comes. Stopping early keeps the connection, for an answer that says why.
 * @throws GatewayError `CANCELLED` when it breaks off.
 */
export async function* bodyOf(req: IncomingMessage): AsyncGenerator<Buffer> {
  try {
    yield* req.iterator({ destroyOnReturn: false });
  } catch (error) {
    throw new GatewayError('CANCELLED', 'The body broke off.', { cause: error });
  } finally {
    // Clients that send everything before they read would wait for ever if the rest stayed unread.
    req.resume();
  }
}

/** The whole body; undefined when it is longer than the limit, announced or not. @throws GatewayError as `bodyOf`. */
export async function bodyUpTo(limit: number, req: IncomingMessage): Promise<Buffer | undefined> {
  if (Number(req.headers['content-length'] ?? 0) > limit) return undefined;
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of bodyOf(req)) {
    length += chunk.length;
    if (length > limit) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
