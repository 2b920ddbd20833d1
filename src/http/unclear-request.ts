import type { IncomingMessage } from 'node:http';
import { GatewayError } from '../errors/gateway-error.ts';

/**
 * What is wrong with a request that servers read in more than one way: it must not reach another one. A target that is no
 * path (`http://other/x`, `*`; RFC 9112, 3.2), which MLflow knows nothing under, and two `Host` headers, which it refuses.
 */
export function objectionTo({ method, url = '', rawHeaders }: IncomingMessage): GatewayError | undefined {
  if (!url.startsWith('/'))
    return new GatewayError(
      'ENDPOINT_NOT_FOUND',
      `The target of this ${method} is no path: it must begin with a slash.`,
    );
  return countHosts(rawHeaders) > 1
    ? new GatewayError('BAD_REQUEST', 'The request has more than one Host header.')
    : undefined;
}

function countHosts(rawHeaders: readonly string[]): number {
  let hosts = 0;
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at] as string;
    if (name.length === 4 && name.toLowerCase() === 'host') hosts++;
  }
  return hosts;
}
