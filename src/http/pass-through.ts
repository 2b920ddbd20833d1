import { type IncomingMessage, ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { createProxyMiddleware, debugProxyErrorsPlugin, type Options, proxyEventsPlugin } from 'http-proxy-middleware';
import { cancelled } from '../errors/cancelled.ts';
import { GatewayError, toGatewayError } from '../errors/gateway-error.ts';
import { RequestRefused } from '../errors/request-refused.ts';
import type { UpstreamResponse } from '../upstream/upstream-client.ts';
import type { UpstreamTls } from '../upstream/upstream-tls.ts';
import { sendError } from './error-response.ts';
import { createLocationRewrite } from './forwarding.ts';
import { createUpstreamAgent, UpstreamSilence } from './upstream-agent.ts';

export interface PassThroughOptions extends UpstreamTls {
  readonly url: string;
  /** Below which the gateway serves everything. */
  readonly pathPrefix: string;
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
  pathPrefix,
  timeoutMs,
  authorization,
  onFailure,
  ...tls
}: PassThroughOptions): PassThrough {
  const upstream = new URL(url);
  const agent = createUpstreamAgent(upstream, timeoutMs, tls);
  const rewriteLocation = createLocationRewrite(url, pathPrefix);
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
    if (sendError(res, tooLong(req, error) ?? explain(error, upstream.origin)).code === 'INTERNAL_ERROR')
      onFailure(error);
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
    res.on('close', () => answered.reject(cancelled()));
    void send(req, res, (error) => error ?? answered.reject(NO_PATH));
    try {
      const answer = await answered.promise;
      return { status: answer.statusCode ?? 502, headers: answer.headers, body: await buffer(answer) };
    } catch (error) {
      throw error instanceof GatewayError ? error : explain(error as Error, upstream.origin);
    }
  }

  return {
    stream: (req, res) => void stream(req, res, (error) => error ?? sendError(res, NO_PATH)),
    exchange,
    close: () => agent.destroy(),
  };
}

/** The proxy leaves alone what is no path of a URL, such as `//[`, and says so by what would be the next handler. */
const NO_PATH = new GatewayError('ENDPOINT_NOT_FOUND', 'The path of the request is none that a URL can have.');

/** Of a longer head uvicorn, below MLflow, reads no more, and hangs up, in bytes. Its own answer is lost mostly. */
const MAX_HEAD = 65_000;
const HUNG_UP: ReadonlySet<unknown> = new Set(['ECONNRESET', 'EPIPE', 'HPE_INVALID_CONSTANT']);

/** Why a request failed, if its own length is the reason. */
function tooLong({ url = '', rawHeaders }: IncomingMessage, { code }: NodeJS.ErrnoException): GatewayError | undefined {
  if (!HUNG_UP.has(code)) return undefined;
  if (url.length > MAX_HEAD) return new RequestRefused(414, 'The MLflow server hung up on a URL longer than 64 kB.');
  const length = url.length + rawHeaders.reduce((sum, text) => sum + text.length + 2, 0);
  if (length > MAX_HEAD) return new RequestRefused(431, 'The MLflow server hung up on headers longer than 64 kB.');
  return undefined;
}

/** A URL cuts its parts out of its text each time one is read, and the proxy reads some twenty for a request. */
const partsOf = ({ protocol, host, hostname, port, pathname }: URL) => ({
  protocol,
  host,
  hostname: hostname.replace(/^\[|\]$/g, ''),
  port,
  // The proxy would take the slash of a lone `/` off otherwise, and MLflow sends to where that is.
  pathname: pathname.endsWith('/') ? pathname : `${pathname}/`,
});

function explain(cause: Error, origin: string): GatewayError {
  if (cause instanceof TypeError) return toGatewayError(cause);
  return cause instanceof UpstreamSilence
    ? new GatewayError('DEADLINE_EXCEEDED', `The MLflow server at ${origin} did not answer in time.`, { cause })
    : new GatewayError('TEMPORARILY_UNAVAILABLE', `The MLflow server at ${origin} cannot be reached.`, { cause });
}
