import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { GatewayError } from '../errors/gateway-error.ts';
import { RequestRefused } from '../errors/request-refused.ts';
import { errorMessage, sendError } from './error-response.ts';
import { objectionTo } from './unclear-request.ts';

/** What the server puts up with from those who connect. */
export interface ServerLimits {
  /** Of request line and headers. */
  readonly maxHeaderBytes: number;
  readonly maxConnections: number;
  /** How long the headers of a request may take, in ms. */
  readonly headersTimeoutMs: number;
  /** How long a caller may be silent who is sending a body, or take nothing of an answer, in ms. */
  readonly idleTimeoutMs: number;
}

/** Longer than clients and proxies in front keep idle connections, so that none is closed under a request, in ms. */
const KEEP_ALIVE_MS = 75_000;
/** How often headers that take too long are looked for, in ms. */
const CHECK_MS = 1_000;
/** Requests that a caller may send on one connection before the first is answered. */
const MAX_PIPELINED = 100;
const MAX_LISTENERS = 30;
/** How long a caller is given to read why it was refused, in ms. */
const FAREWELL_MS = 1_000;

/** A connection with requests under way: the last of them, and how many. */
interface Line {
  last: { readonly req: IncomingMessage; readonly res: ServerResponse };
  underWay: number;
}

/**
 * A server that answers in MLflow's form what is no HTTP, too, and lets nobody hold on to a connection in silence. An upload or
 * an answer may take as long as it takes, while it moves.
 */
export function createHttpServer(handle: RequestListener, limits: ServerLimits): Server {
  const server = createServer({
    maxHeaderSize: limits.maxHeaderBytes,
    headersTimeout: limits.headersTimeoutMs,
    connectionsCheckingInterval: Math.min(CHECK_MS, limits.headersTimeoutMs),
    keepAliveTimeout: KEEP_ALIVE_MS,
    requestTimeout: 0,
    // A missing Host gets the answer that MLflow gives.
    requireHostHeader: false,
  });
  server.timeout = limits.idleTimeoutMs;
  server.maxConnections = limits.maxConnections;
  const lines = new WeakMap<Duplex, Line>();
  const refused = new WeakSet<Duplex>();

  function take(req: IncomingMessage, res: ServerResponse): void {
    const underWay = note(req, res);
    // On its way an answer is watched from many places.
    res.setMaxListeners(MAX_LISTENERS);
    req.on('timeout', () => giveUpBody(req, res));
    res.on('timeout', () => giveUpAnswer(res));
    // Node drops what it has read beyond a request to change the protocol that nobody takes up.
    if (req.headers.upgrade !== undefined) res.shouldKeepAlive = false;
    const objection = underWay > MAX_PIPELINED ? TOO_MANY : objectionTo(req);
    if (objection) {
      res.shouldKeepAlive = false;
      sendError(res, objection);
    } else handle(req, res);
  }

  function note(req: IncomingMessage, res: ServerResponse): number {
    const line = lines.get(req.socket) ?? { last: { req, res }, underWay: 0 };
    line.last = { req, res };
    line.underWay++;
    lines.set(req.socket, line);
    res.on('close', () => line.underWay--);
    return line.underWay;
  }

  function refuse(error: NodeJS.ErrnoException, socket: Duplex): void {
    if (refused.has(socket)) return;
    if (error.code === 'ECONNRESET' || !socket.writable) return void socket.destroy();
    refused.add(socket);
    const { last, underWay } = lines.get(socket) ?? { underWay: 0 };
    const end = () => endWith(refusalOf(error), socket);
    if (!last || underWay === 0) end();
    // What cannot be read comes after a request that can: that one's answer goes first.
    else if (last.req.complete) last.res.once('close', end);
    else if (underWay > 1 || last.res.headersSent) socket.destroy();
    else end();
  }

  server.on('request', take);
  // MLflow knows no expectation but `100-continue`, and goes by none.
  server.on('checkExpectation', take);
  server.on('clientError', refuse);
  server.on('connect', (_req, socket) => endWith(NO_TUNNEL, socket));
  return server;
}

const TOO_MANY = new GatewayError('REQUEST_LIMIT_EXCEEDED', 'Too many requests at once on one connection.');
const NO_TUNNEL = new GatewayError('ENDPOINT_NOT_FOUND', 'CONNECT is for proxies; this is none.');

/** Half a request: without the rest it would be waited for until its caller hangs up. */
function giveUpBody(req: IncomingMessage, res: ServerResponse): void {
  // It is not the caller who is slow: the backend takes nothing.
  if (req.readableLength >= req.readableHighWaterMark) return;
  if (res.headersSent) return void req.socket.destroy();
  res.shouldKeepAlive = false;
  sendError(res, new RequestRefused(408, 'The body of the request did not come in time.'));
}

/** Silence alone is no fault of the caller's, who may be waiting for us. */
function giveUpAnswer({ socket }: ServerResponse): void {
  if (socket && socket.writableLength > 0) socket.destroy();
}

function refusalOf({ code, message }: NodeJS.ErrnoException): GatewayError {
  switch (code) {
    case 'HPE_HEADER_OVERFLOW':
      return new RequestRefused(431, 'The headers of the request are too large or too many.');
    case 'HPE_CHUNK_EXTENSIONS_OVERFLOW':
      return new RequestRefused(413, 'The chunk extensions of the request are too large.');
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return new RequestRefused(408, 'The headers of the request did not come in time.');
    default:
      return new GatewayError(
        'BAD_REQUEST',
        `The request is not valid HTTP: ${message.replace(/^Parse Error: /, '')}.`,
      );
  }
}

/** The last answer on a connection. What still comes in is not read. */
function endWith(error: GatewayError, socket: Duplex): void {
  if (!socket.writable) return void socket.destroy();
  socket.end(errorMessage(error));
  setTimeout(() => socket.destroy(), FAREWELL_MS).unref();
}
