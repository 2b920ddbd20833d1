import type { IncomingHttpHeaders, IncomingMessage, OutgoingHttpHeaders } from 'node:http';
import type { TrustedProxies } from './trusted-proxies.ts';

/** Headers that mean one connection only (RFC 9110, 7.6.1), besides `Connection` and those that it names. */
const HOP_BY_HOP = new Set([
  'keep-alive',
  'proxy-connection',
  'proxy-authenticate',
  'te',
  'trailer',
  'upgrade',
  'http2-settings',
  // Answered here already.
  'expect',
]);

/**
 * What `Connection` must not name away: without the first the message could not be read, and by the others MLflow would
 * answer otherwise than the caller asked.
 */
const END_TO_END =
  /^(?:host|transfer-encoding|content-.*|authorization|cookie|origin|forwarded|x-forwarded-.*|x-real-ip|x-mlflow-.*)$/;

/** Headers that are read for who the caller is and how MLflow was reached. */
const ORIGIN_OF_REQUEST = /^(?:forwarded|x-forwarded-.*|x-real-ip)$/;

/** A WSGI server takes an underscore for a hyphen: what was judged under one name must not come in under another. */
const JUDGED =
  /^(?:host|transfer-encoding|content-.*|origin|forwarded|x-forwarded-.*|x-real-ip|x-mlflow-.*|script-name|path-info)$/;

/** Makes a request's headers fit to be sent on. */
export type PrepareForwarding = (req: IncomingMessage) => void;

/**
 * Says who asked (`X-Forwarded-*`), with what trusted proxies in front said and nobody else, and drops what concerned the
 * caller's connection only.
 */
export function createPrepareForwarding({ isProxy, wayOf }: TrustedProxies): PrepareForwarding {
  return (req) => {
    const { headers } = req;
    dropHopByHop(headers);
    // Not deleted, since an object that lost a key is slow in all that follows.
    if (headers.connection !== undefined) headers.connection = 'keep-alive';
    const isBelieved = isProxy(req);
    for (const name in headers)
      if (isDisguised(name) || (!isBelieved && ORIGIN_OF_REQUEST.test(name))) delete headers[name];
    headers['x-forwarded-for'] = wayOf(req).join(', ');
    headers['x-forwarded-host'] ??= headers.host ?? '';
    headers['x-forwarded-proto'] ??= 'http';
  };
}

const isDisguised = (name: string) => name.includes('_') && JUDGED.test(name.replaceAll('_', '-'));

/** Leaves `Connection` itself to the caller. */
function dropHopByHop(headers: IncomingHttpHeaders): void {
  if (headers.connection !== undefined) {
    for (const name of headers.connection.toLowerCase().split(/\s*,\s*/))
      if (!END_TO_END.test(name)) delete headers[name];
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

/** @param pathPrefix below which the gateway serves everything */
export function createLocationRewrite(upstreamUrl: string, pathPrefix: string): LocationRewrite {
  const upstream = new URL(upstreamUrl);
  const upstreamPrefix = upstream.pathname.replace(/\/$/, '');
  const pathHere = (path: string) =>
    pathPrefix + (path.startsWith(`${upstreamPrefix}/`) ? path.slice(upstreamPrefix.length) : path);
  return (headers, req) => {
    const { location } = headers;
    if (location === undefined) return;
    if (/^\/(?!\/)/.test(location)) headers.location = pathHere(location);
    if (!URL.canParse(location)) return;
    const { host, pathname, search, hash } = new URL(location);
    if (host !== upstream.host) return;
    const { 'x-forwarded-proto': scheme, 'x-forwarded-host': hostHere } = req.headers;
    headers.location = `${scheme}://${hostHere}${pathHere(pathname)}${search}${hash}`;
  };
}
