import { Client, type ClientOptions, ClusterConnectionPool, errors, type estypes } from '@elastic/elasticsearch';
import { cancelled } from '../../src/errors/cancelled.ts';
import { GatewayError } from '../../src/errors/gateway-error.ts';
import type { Breaker } from '../../src/faults/breaker.ts';

/** How to reach an Elasticsearch: with a name and password, an API key, or neither. */
export interface ConnectionOptions {
  /** Of one node, or of each of several that are asked in turn. */
  readonly url: string | readonly string[];
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  readonly apiKey?: string | undefined;
  /** PEM text of the authority to trust instead of the well-known ones. */
  readonly ca?: string | undefined;
  /** False accepts any certificate: for tests only. Default true. */
  readonly rejectUnauthorized?: boolean | undefined;
  /** Silence after which a request is given up, in ms. */
  readonly timeoutMs: number;
  /** Without one, every request is made. */
  readonly breaker?: Breaker | undefined;
}

function authOf({ username, password, apiKey }: ConnectionOptions): ClientOptions['auth'] {
  if (apiKey !== undefined) return { apiKey };
  return username === undefined ? undefined : { username, password: password ?? '' };
}

const CONNECT_MS = 2_000;

/** To be given to each of the client's functions. */
export interface RequestOptions {
  readonly signal?: AbortSignal;
  readonly retryBackoff: () => number;
}

type Request<T> = (client: Client, options: RequestOptions) => Promise<T>;

/** The client with what all requests share, and one way to say what went wrong. */
export class Connection {
  readonly #client: Client;
  readonly #origins: string;
  readonly #breaker: Breaker | undefined;
  readonly #maxRetries: number;

  constructor(options: ConnectionOptions) {
    const auth = authOf(options);
    const urls = [options.url].flat();
    this.#origins = urls.map((url) => new URL(url).origin).join(', ');
    this.#breaker = options.breaker;
    // A kept connection may be closed just as it is used, and a node may be gone. All requests made here may be repeated.
    this.#maxRetries = Math.max(1, urls.length - 1);
    this.#client = new Client({
      nodes: urls,
      // Leaves out a node that cannot be reached, and comes back to it.
      ConnectionPool: ClusterConnectionPool,
      ...(auth && { auth }),
      // What a connection is made with, be it over TLS or not.
      tls: {
        rejectUnauthorized: options.rejectUnauthorized ?? true,
        ...(options.ca && { ca: options.ca }),
        timeout: Math.min(options.timeoutMs, CONNECT_MS),
      },
      requestTimeout: options.timeoutMs,
      maxRetries: this.#maxRetries,
    });
  }

  /**
   * Makes a request, unless Elasticsearch failed a moment ago.
   * @throws GatewayError `CANCELLED` when `signal` aborts, `DEADLINE_EXCEEDED` when there is no answer in time,
   *   `TEMPORARILY_UNAVAILABLE` for every other failure. Its cause is the client's own error.
   */
  async ask<T>(request: Request<T>, signal?: AbortSignal): Promise<T> {
    const send = () => this.askAnyway(request, signal);
    return this.#breaker ? this.#breaker.run(send, isOutage) : send();
  }

  /** The answer to a search as it came. @throws GatewayError as `ask` */
  search(request: estypes.SearchRequest, signal: AbortSignal): Promise<Buffer> {
    return this.ask(async (client, options) => {
      for (let retries = this.#maxRetries; ; retries--) {
        const answer = await client.search(request, { ...options, asStream: true, meta: true });
        const body = await bytesOf(answer.body as unknown as Body);
        if (answer.statusCode === 200) return body;
        // As the client does with what is no stream.
        if (retries > 0 && PASSING.has(answer.statusCode ?? 0)) continue;
        throw new errors.ResponseError({ ...answer, body: jsonIn(body) });
      }
    }, signal);
  }

  /** Makes a request past the breaker. @throws GatewayError as `ask` */
  async askAnyway<T>(request: Request<T>, signal?: AbortSignal): Promise<T> {
    // The client takes only an abort without a reason for one; to others it answers by trying again.
    const plain = new AbortController();
    const abort = () => plain.abort();
    signal?.addEventListener('abort', abort);
    if (signal?.aborted) abort();
    try {
      return await request(this.#client, { retryBackoff: () => 0, ...(signal && { signal: plain.signal }) });
    } catch (thrown) {
      throw this.#explain(thrown, signal);
    } finally {
      signal?.removeEventListener('abort', abort);
    }
  }

  close(): Promise<void> {
    return this.#client.close();
  }

  #explain(thrown: unknown, signal: AbortSignal | undefined): unknown {
    if (thrown instanceof GatewayError) return thrown;
    if (signal?.aborted) return cancelled(thrown);
    if (!(thrown instanceof errors.ElasticsearchClientError)) return thrown;
    const where = `Elasticsearch at ${this.#origins}`;
    if (thrown instanceof errors.TimeoutError)
      return new GatewayError('DEADLINE_EXCEEDED', `${where} did not answer in time.`, { cause: thrown });
    const what =
      thrown instanceof errors.ResponseError
        ? `answered ${thrown.statusCode}: ${reasonOf(thrown)}`
        : `cannot be reached: ${thrown.message}`;
    return new GatewayError('TEMPORARILY_UNAVAILABLE', `${where} ${what}.`, { cause: thrown });
  }
}

/** What the client, over undici, gives as a stream. */
type Body = Pick<Response, 'arrayBuffer'>;

const PASSING: ReadonlySet<number> = new Set([502, 503, 504]);

/** @throws TimeoutError or ConnectionError of the client, as it does itself with what is no stream. */
async function bytesOf(body: Body): Promise<Buffer> {
  try {
    return Buffer.from(await body.arrayBuffer());
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw code === 'UND_ERR_BODY_TIMEOUT' ? new errors.TimeoutError(message) : new errors.ConnectionError(message);
  }
}

function jsonIn(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString());
  } catch {
    return body.toString();
  }
}

/** HTTP status of the answer behind an error of {@link Connection.ask}; undefined when there was none. */
export const statusOf = (thrown: unknown): number | undefined =>
  thrown instanceof GatewayError && thrown.cause instanceof errors.ResponseError ? thrown.cause.statusCode : undefined;

/** Elasticsearch's name for what went wrong. */
export const typeOf = (thrown: unknown): string | undefined =>
  thrown instanceof GatewayError && thrown.cause instanceof errors.ResponseError ? reasonOf(thrown.cause) : undefined;

const reasonOf = ({ body, statusCode }: errors.ResponseError): string =>
  (body as { error?: { type?: string } } | undefined)?.error?.type ?? `status ${statusCode}`;

/** Whether an error says that Elasticsearch is down or overloaded. One that is read-only says 429, and answers searches. */
function isOutage(error: unknown): boolean {
  if (!(error instanceof GatewayError) || error.code === 'CANCELLED') return false;
  const status = statusOf(error);
  return status === undefined || status >= 500 || (status === 429 && typeOf(error) !== 'cluster_block_exception');
}

/** One item of a bulk that was refused for a reason that may pass. */
export const itemFailure = (status: number | undefined, type: string | undefined): GatewayError =>
  new GatewayError('TEMPORARILY_UNAVAILABLE', `Elasticsearch did not take a document: ${status} ${type}.`);
