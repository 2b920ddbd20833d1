import type { IncomingMessage } from 'node:http';
import { nestsDeeperThan } from '../domain/json-depth.ts';
import { GatewayError } from '../errors/gateway-error.ts';

/** The announced length of a body; undefined when it is chunked, or when the caller said something else than a number. */
export function announcedLength({ headers }: IncomingMessage): number | undefined {
  if (headers['transfer-encoding'] !== undefined) return undefined;
  const length = headers['content-length'] ?? '0';
  return /^\d{1,15}$/.test(length) ? Number(length) : undefined;
}

/** Reads a whole message. @throws GatewayError `CANCELLED` when it breaks off. */
export function readBody(message: IncomingMessage): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    const fail = () => {
      if (!message.readableEnded) reject(brokenOff());
    };
    message.on('data', (chunk: Buffer) => chunks.push(chunk));
    message.on('end', () => resolve(chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks)));
    message.on('error', fail);
    message.on('close', fail);
  });
}

/**
 * The body of a request as it comes. Stopping early keeps the connection, for an answer that says why.
 * @throws GatewayError `CANCELLED` when it breaks off.
 */
export async function* bodyOf(req: IncomingMessage): AsyncGenerator<Buffer> {
  try {
    yield* req.iterator({ destroyOnReturn: false });
  } catch (error) {
    throw brokenOff(error);
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

const brokenOff = (cause?: unknown) => new GatewayError('CANCELLED', 'The body broke off.', { cause });

/** No request that is understood has more. */
const MAX_DEPTH = 16;

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * The JSON value of a body, undefined unless every JSON reader agrees on it: valid UTF-8 without a byte order mark, and
 * strict JSON, which Python's `NaN` is not. Nor is it defined for what is nested deeper than any request.
 */
export function plainJson(body: Buffer): unknown {
  if (nestsDeeperThan(MAX_DEPTH, body)) return undefined;
  try {
    return JSON.parse(UTF8.decode(body));
  } catch {
    return undefined;
  }
}
