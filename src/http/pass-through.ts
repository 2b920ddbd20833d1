import { type IncomingMessage, ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { createProxyMiddleware, debugProxyErrorsPlugin, type Options, proxyEventsPlugin } from 'http-proxy-middleware';
import { GatewayError, toGatewayError } from '../errors/gateway-error.ts';
import { RequestRefused } from '../errors/request-refused.ts';
import type { UpstreamResponse } from '../upstream/upstream-client.ts';
import type { UpstreamTls } from '../upstream/upstream-tls.ts';
import { sendError } from './error-response.ts';
import { createLocationRewrite } from './forwarding.ts';
import { createUpstreamAgent, UpstreamSilence } from './upstream-agent.ts';

export interface PassThroughOptions extends UpstreamTls {
  readonly url: string;
  /** Silence of the backend after which a request is given up, in ms. */
  readonly timeoutMs: number;
  /** Goes with each request, where callers act under the gateway's name; cookies do not come back then. */
  readonly authorization?: string | undefined;
  /** Told of failures that are not the backend's. */
  onFailure(error: unknown): void;
}

export interface PassThrough {
  /** Streams a request, whose headers are prepared, to the backend, and the answer back. */
  stream(req: IncomingMessage, res: ServerResponse): void;
  /** Streams the request only, and reads the whole answer. @throws GatewayError */
  exchange(req: IncomingMessage, res: ServerResponse): Promise<UpstreamResponse>;
  close(): void;
}

/** The way of everything the gateway does not answer itself: both directions as streams, bytes untouched. */
export function createPassThrough({
  url,
  timeoutMs,
  authorization,
  onFailure,
  ...tls
}: PassThroughOptions): PassThrough {
  const upstream = new URL(url);
  const agent = createUpstreamAgent(upstream, timeoutMs, tls);
  const rewriteLocation = createLocationRewrite(url);
  const common: Options = {
    target: partsOf(upstream),
    agent,
    changeOrigin: true,
    ...(authorization !== undefined && { headers: { authorization } }),
    // The proxy sets it for each request, whatever the agent says.
    secure: tls.rejectUnauthorized ?? true,
    // Without the logging plugin, which builds a URL and a line for every answer.
    ejectPlugins: true,
    plugins: [debugProxyErrorsPlugin, proxyEventsPlugin],
  };
  const stream = createProxyMiddleware({
    ...common,
    on: {
      error: (error, req, res) => void (res instanceof ServerResponse ? fail(req, res, error) : res.destroy()),
      proxyRes(answer, req, res) {
        rewriteLocation(answer.headers, req);
        dropCookies(answer);
        // The backend's connection is not the caller's.
        delete answer.headers['keep-alive'];
        answer.headers.connection = res.shouldKeepAlive ? 'keep-alive' : 'close';
      },
    },
  });
  function dropCookies({ headers }: IncomingMessage): void {
    if (authorization !== undefined) delete headers['set-cookie'];
  }
  function fail(req: IncomingMessage, res: ServerResponse, error: Error): void {
    const reason = isTooLong(req, error) ? TOO_LONG : explain(error, upstream.origin);
    if (sendError(res, reason).code === 'INTERNAL_ERROR') onFailure(error);
  }

  const waiting = new WeakMap<IncomingMessage, PromiseWithResolvers<IncomingMessage>>();
  const send = createProxyMiddleware({
    ...common,
    selfHandleResponse: true,
    on: {
      error: (error, req) => waiting.get(req)?.reject(error),
      proxyRes(answer, req) {
        dropCookies(answer);
        waiting.get(req)?.resolve(answer);
      },
    },
  });

  async function exchange(req: IncomingMessage, res: ServerResponse): Promise<UpstreamResponse> {
    const answered = Promise.withResolvers<IncomingMessage>();
    waiting.set(req, answered);
    res.on('close', () => answered.reject(new GatewayError('CANCELLED', 'The client closed the request.')));
    void send(req, res);
    try {
      const answer = await answered.promise;
      return { status: answer.statusCode ?? 502, headers: answer.headers, body: await buffer(answer) };
    } catch (error) {
      throw error instanceof GatewayError ? error : explain(error as Error, upstream.origin);
    }
  }

  return { stream: (req, res) => void stream(req, res), exchange, close: () => agent.destroy() };
}

/** uvicorn, below MLflow, hangs up in the middle of a longer request line, in bytes. Its own answer to it is lost mostly. */
const MAX_LINE = 65_000;
const TOO_LONG = new RequestRefused(414, 'The MLflow server hung up: the request line is longer than 64 kB.');

const isTooLong = ({ url = '' }: IncomingMessage, { code }: NodeJS.ErrnoException) =>
  url.length > MAX_LINE && (code === 'ECONNRESET' || code === 'EPIPE');

/** A URL cuts its parts out of its text each time one is read, and the proxy reads some twenty for a request. */
const partsOf = ({ protocol, host, hostname, port, pathname }: URL) => ({
  protocol,
  host,
  hostname: hostname.replace(/^\[|\]$/g, ''),
  port,
  pathname,
});

function explain(cause: Error, origin: string): GatewayError {
  if (cause instanceof TypeError) return toGatewayError(cause);
  return cause instanceof UpstreamSilence
    ? new GatewayError('DEADLINE_EXCEEDED', `The MLflow server at ${origin} did not answer in time.`, { cause })
    : new GatewayError('TEMPORARILY_UNAVAILABLE', `The MLflow server at ${origin} cannot be reached.`, { cause });
}
