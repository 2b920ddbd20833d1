import { hash } from 'node:crypto';
import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import fresh from 'fresh';

export interface GoodAnswer {
  readonly headers: OutgoingHttpHeaders;
  readonly body: Buffer;
  /** What caches on the way may do; at least they ask each time. */
  readonly cacheControl: string;
}

/** Sends an answer with status 200; 304 instead to a GET that names it as what the caller has (RFC 9110, 13.1.2). */
export function sendUnlessKnown(
  { headers: given, body, cacheControl }: GoodAnswer,
  { method, headers: asked }: IncomingMessage,
  res: ServerResponse,
): void {
  const whole = { ...given, 'content-length': body.length };
  if (method !== 'GET') return void res.writeHead(200, whole).end(body);
  const etag = `"${hash('sha256', body, 'base64url')}"`;
  // Nobody on the way is to give it to others without asking: only here is it known when a write has changed it.
  const validators = { etag, 'cache-control': cacheControl };
  if (!fresh(asked, validators)) return void res.writeHead(200, { ...whole, ...validators }).end(body);
  const { 'content-type': _type, 'content-encoding': _encoding, ...kept } = given;
  res.writeHead(304, { ...kept, ...validators }).end();
}
