import type { IncomingMessage, ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { GatewayError } from '../errors/gateway-error.ts';
import type { UpstreamRequest, UpstreamResponse, UpstreamStream } from '../upstream/upstream-client.ts';
import { headersOfWhole, headersToRelay } from './forwarding.ts';

/** A request, whose headers are prepared and whose body was read, as it is sent on. */
export function originalOf(req: IncomingMessage, body: Buffer, signal?: AbortSignal): UpstreamRequest {
  return {
    method: req.method ?? 'GET',
    path: req.url ?? '/',
    headers: headersOfWhole(req),
    body,
    ...(signal && { signal }),
  };
}

/** Gives the caller the backend's answer as it is. */
export function relay({ status, headers, body }: UpstreamResponse, res: ServerResponse): void {
  const relayed = headersToRelay(headers);
  if (status !== 204 && status !== 304) relayed['content-length'] = body.length;
  res.writeHead(status, relayed).end(body);
}

/** The same, as it comes. @throws GatewayError when it breaks off. */
export async function relayStream({ status, headers, body }: UpstreamStream, res: ServerResponse): Promise<void> {
  res.writeHead(status, headersToRelay(headers));
  try {
    await pipeline(body, res);
  } catch (cause) {
    throw new GatewayError('TEMPORARILY_UNAVAILABLE', 'The answer broke off.', { cause });
  }
}
