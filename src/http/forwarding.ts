import type { IncomingHttpHeaders, IncomingMessage, OutgoingHttpHeaders } from 'node:http';

/** Headers that mean one connection only (RFC 9110, 7.6.1), besides `Connection` and those that it names. */
const HOP_BY_HOP = new Set([
  'keep-alive',
  'proxy-connection',
  'proxy-authenticate',
  'te',
  'trailer',
  'upgrade',
  'http2-settings',
]);

/** What `Connection` must not name away: the message could not be read without them. */
const FRAMING = ['content-length', 'transfer-encoding', 'host'];

/**
 * Makes a request's headers fit to be sent on: says who asked (`X-Forwarded-*`, keeping what proxies in front said) and
 * drops what concerned the caller's connection only.
 */
export function prepareForwarding({ headers, socket }: IncomingMessage): void {
  dropHopByHop(headers);
  // Not deleted, since an object that lost a key is slow in all that follows.
  if (headers.connection !== undefined) headers.connection = 'keep-alive';
  const { remoteAddress = 'unknown' } = socket;
  const seen = headers['x-forwarded-for'];
  headers['x-forwarded-for'] = seen ? `${seen}, ${remoteAddress}` : remoteAddress;
  headers['x-forwarded-host'] ??= headers.host ?? '';
  headers['x-forwarded-proto'] ??= 'http';
}

/** Leaves `Connection` itself to the caller. */
function dropHopByHop(headers: IncomingHttpHeaders): void {
  if (headers.connection !== undefined) {
    for (const name of headers.connection.toLowerCase().split(/\s*,\s*/))
      if (!FRAMING.includes(name)) delete headers[name];
  }
  for (const name in headers) if (HOP_BY_HOP.has(name)) delete headers[name];
}

/** The headers of a prepared request whose body was read whole: the client that sends it on knows its length. */
export function headersOfWhole({ headers }: IncomingMessage): Record<string, string | string[]> {
  const { host, connection, 'content-length': length, 'transfer-encoding': encoding, expect, ...rest } = headers;
  return rest as Record<string, string | string[]>;
}

/** The headers of a whole answer, as they are sent on to the caller. */
export function headersToRelay(headers: IncomingHttpHeaders): OutgoingHttpHeaders {
  const relayed = { ...headers };
  dropHopByHop(relayed);
  delete relayed.connection;
  delete relayed['transfer-encoding'];
  return relayed;
}

/** Turns a redirect that names the backend into one that names the gateway, as the caller called it. */
export type LocationRewrite = (headers: IncomingHttpHeaders, req: IncomingMessage) => void;

export function createLocationRewrite(upstreamUrl: string): LocationRewrite {
  const upstream = new URL(upstreamUrl);
  const prefix = upstream.pathname.replace(/\/$/, '');
  return (headers, req) => {
    if (headers.location === undefined || !URL.canParse(headers.location)) return;
    const location = new URL(headers.location);
    if (location.host !== upstream.host) return;
    const path = location.pathname.startsWith(`${prefix}/`)
      ? location.pathname.slice(prefix.length)
      : location.pathname;
    const { 'x-forwarded-proto': scheme, 'x-forwarded-host': host } = req.headers;
    headers.location = `${scheme}://${host}${path}${location.search}${location.hash}`;
  };
}
