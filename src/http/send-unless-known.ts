import { hash } from 'node:crypto';
import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import fresh from 'fresh';

/** Sends an answer with status 200; 304 instead to a GET that names it as what the caller has (RFC 9110, 13.1.2). */
export function sendUnlessKnown(
  given: OutgoingHttpHeaders,
  body: Buffer,
  { method, headers: asked }: IncomingMessage,
  res: ServerResponse,
): void {
  const whole = { ...given, 'content-length': body.length };
  if (method !== 'GET') return void res.writeHead(200, whole).end(body);
  const etag = `"${hash('sha256', body, 'base64url')}"`;
  // Nobody on the way is to give it to others without asking: only here is it known when a write has changed it.
  const validators = { etag, 'cache-control': 'no-cache' };
  if (!fresh(asked, validators)) return void res.writeHead(200, { ...whole, ...validators }).end(body);
  const { 'content-type': _type, 'content-encoding': _encoding, ...kept } = given;
  res.writeHead(304, { ...kept, ...validators }).end();
}
