import type { IncomingHttpHeaders } from 'node:http';
import type { Readable } from 'node:stream';
import { Agent, errors } from 'undici';
import { cancelled } from '../errors/cancelled.ts';
import { GatewayError } from '../errors/gateway-error.ts';
import { tlsOptionsOf, type UpstreamTls } from './upstream-tls.ts';

export interface UpstreamRequest {
  readonly method: string;
  /** Path and query, starting with a slash. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string | string[]>>;
  readonly body?: Uint8Array | string;
  readonly signal?: AbortSignal;
}

export interface UpstreamResponse {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

export interface UpstreamStream extends Omit<UpstreamResponse, 'body'> {
  readonly body: Readable & { bytes(): Promise<Uint8Array> };
}

export interface UpstreamOptions extends UpstreamTls {
  /** Base URL of the backend; a path in it is put before every request path. */
  readonly url: string;
  /** Silence of the backend, in ms, after which a request is given up with 504. */
  readonly timeoutMs: number;
  /** Open connections at most. */
  readonly connections: number;
  /** A socket in the file system to connect to, instead of the URL's host. */
  readonly socketPath?: string;
}

// uvicorn, below MLflow, closes an idle connection after 5 s; a socket kept as long could be closed under a request.
const KEEP_ALIVE_MS = 4_000;

/** What asks a backend and reads the whole answer. */
export type Requester = Pick<UpstreamClient, 'request'>;

/** What a caller's request is sent on by, when its body was read whole. */
export type Forwarder = Pick<UpstreamClient, 'request' | 'open' | 'url'>;

/** Whole requests and answers over one pool of connections. Streams go through the proxy instead. */
export class UpstreamClient {
  readonly url: string;
  readonly #prefix: string;
  readonly #origin: string;
  readonly #agent: Agent;

  constructor({ url, timeoutMs, connections, socketPath, ...tls }: UpstreamOptions) {
    const parsed = new URL(url);
    this.url = url;
    this.#origin = parsed.origin;
    this.#prefix = parsed.pathname.replace(/\/$/, '');
    this.#agent = new Agent({
      connections,
      keepAliveTimeout: KEEP_ALIVE_MS,
      keepAliveMaxTimeout: KEEP_ALIVE_MS,
      connect: { timeout: Math.min(timeoutMs, 10_000), ...tlsOptionsOf(tls), ...(socketPath && { socketPath }) },
      headersTimeout: timeoutMs,
      bodyTimeout: timeoutMs,
    });
  }

  /**
   * Sends a request with `Content-Length` (MLflow reads a chunked body as empty) and reads the whole answer, whatever
   * its status.
   * @throws GatewayError `TEMPORARILY_UNAVAILABLE` (503) when the backend cannot be reached or breaks off,
   *   `DEADLINE_EXCEEDED` (504) when it is silent too long, `CANCELLED` (499) when `signal` aborts.
   */
  async request(request: UpstreamRequest): Promise<UpstreamResponse> {
    const { status, headers, body } = await this.open(request);
    try {
      const { buffer, byteOffset, byteLength } = await body.bytes();
      return { status, headers, body: Buffer.from(buffer, byteOffset, byteLength) };
    } catch (thrown) {
      throw this.#explain(thrown, request.signal);
    }
  }

  /** As `request`, but the body of the answer is still to come, and must be read. @throws GatewayError */
  async open({ method, path, headers, body, signal }: UpstreamRequest): Promise<UpstreamStream> {
    try {
      // Not by URL: parsing one would rewrite the path (dot segments, quotes) that the caller sent.
      const answer = await this.#agent.request({
        origin: this.#origin,
        path: `${this.#prefix}${path}`,
        method: method as 'GET',
        ...(headers && { headers }),
        ...(body !== undefined && { body }),
        ...(signal && { signal }),
      });
      return { status: answer.statusCode, headers: answer.headers, body: answer.body };
    } catch (thrown) {
      throw this.#explain(thrown, signal);
    }
  }

  async close(): Promise<void> {
    await this.#agent.close();
  }

  #explain(thrown: unknown, signal: AbortSignal | undefined): GatewayError {
    if (signal?.aborted) return cancelled(thrown);
    if (
      thrown instanceof errors.HeadersTimeoutError ||
      thrown instanceof errors.BodyTimeoutError ||
      thrown instanceof errors.ConnectTimeoutError
    ) {
      return new GatewayError('DEADLINE_EXCEEDED', `The MLflow server at ${this.#origin} did not answer in time.`, {
        cause: thrown,
      });
    }
    return new GatewayError('TEMPORARILY_UNAVAILABLE', `The MLflow server at ${this.#origin} cannot be reached.`, {
      cause: thrown,
    });
  }
}
