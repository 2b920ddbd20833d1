import { IncomingMessage } from 'node:http';
import type { Call } from './call.ts';

const OF_A_BODY = /^(?:content-.*|transfer-encoding|expect)$/;
/** Conditions on an answer that nobody gets as it is. */
const OF_AN_ANSWER = /^(?:accept-encoding|range|if-.*)$/;

/** What a request becomes whose body was read: today's request in the same words otherwise, from the same connection. */
export function requestAgain(req: IncomingMessage, { method, target, body }: Call): IncomingMessage {
  const bytes = Buffer.from(body ?? '');
  const { 'content-type': type = 'application/json' } = method === req.method ? req.headers : {};
  const kept = Object.entries(req.headers).filter(([name]) => !OF_A_BODY.test(name));
  const ofBody = method === 'POST' && { 'content-type': type, 'content-length': `${bytes.length}` };
  return copyOf(req, { method, url: target, headers: { ...Object.fromEntries(kept), ...ofBody } }, bytes);
}

/** A request for what goes into an answer to the caller, in their name. */
export function requestForPart(req: IncomingMessage, call: Call): IncomingMessage {
  const again = requestAgain(req, call);
  const kept = Object.entries(again.headers).filter(([name]) => !OF_AN_ANSWER.test(name));
  again.headers = Object.fromEntries(kept);
  return again;
}

/** The same request, whose body was read. */
export const requestAsRead = (req: IncomingMessage, bytes: Buffer): IncomingMessage =>
  copyOf(req, { method: req.method, url: req.url, headers: req.headers }, bytes);

type Head = { readonly [Name in 'method' | 'url' | 'headers']: IncomingMessage[Name] };

function copyOf(req: IncomingMessage, head: Head, bytes: Buffer): IncomingMessage {
  const { httpVersion, httpVersionMajor, httpVersionMinor, rawHeaders } = req;
  const copy = new IncomingMessage(req.socket);
  Object.assign(copy, { ...head, httpVersion, httpVersionMajor, httpVersionMinor, rawHeaders, complete: true });
  copy.push(bytes);
  copy.push(null);
  return copy;
}
