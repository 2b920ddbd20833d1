import type { IncomingMessage } from 'node:http';
import proxyAddr from 'proxy-addr';

/** Who stands between a caller and this gateway, as far as it is believed. */
export interface TrustedProxies {
  /** Whether the connection is one of a proxy whose word on the caller counts. */
  isProxy(req: IncomingMessage): boolean;
  /** The addresses on the way here, the caller's first: none but those that a trusted proxy vouches for. */
  wayOf(req: IncomingMessage): readonly string[];
  /** The address of the caller: the first that is no trusted proxy, seen from here. */
  clientAddressOf(req: IncomingMessage): string;
}

/**
 * @param trusted addresses, ranges such as `10.0.0.0/8`, and `loopback`, `linklocal`, `uniquelocal`, as Express takes them for
 *   its `trust proxy`
 */
export function createTrustedProxies(trusted: readonly string[]): TrustedProxies {
  const isTrusted = proxyAddr.compile([...trusted]);
  // An address is parsed once for all requests of a connection.
  const known = new WeakMap<IncomingMessage['socket'], boolean>();

  function isProxy({ socket }: IncomingMessage): boolean {
    const before = known.get(socket);
    if (before !== undefined) return before;
    const now = isTrusted(addressOf(socket), 0);
    known.set(socket, now);
    return now;
  }

  return {
    isProxy,
    wayOf: (req) =>
      req.headers['x-forwarded-for'] === undefined || !isProxy(req)
        ? [addressOf(req.socket)]
        : proxyAddr.all(req, isTrusted).reverse(),
    clientAddressOf: (req) => (isProxy(req) ? proxyAddr(req, isTrusted) : addressOf(req.socket)),
  };
}

/** Unknown once the caller has hung up. */
const addressOf = ({ remoteAddress = 'unknown' }: IncomingMessage['socket']) => remoteAddress;
