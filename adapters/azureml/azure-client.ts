import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { cancelled } from '../../src/errors/cancelled.ts';
import { GatewayError } from '../../src/errors/gateway-error.ts';
import { backOff } from '../../src/faults/back-off.ts';
import {
  type Requester,
  UpstreamClient,
  type UpstreamRequest,
  type UpstreamResponse,
} from '../../src/upstream/upstream-client.ts';
import type { UpstreamTls } from '../../src/upstream/upstream-tls.ts';
import { absentEndpoint, isAbsentEndpoint } from './absent-endpoints.ts';
import { readAzureError } from './azure-error.ts';
import { isRead } from './is-read.ts';
import { normaliseError } from './normalise-error.ts';
import { askedPauseMs, mayRepeatAfter, mayRepeatWithout } from './retry-rules.ts';
import type { TokenSource } from './token-source.ts';
import type { WorkspaceAddress } from './workspace-address.ts';

/** How often and how long a request is tried. */
export interface RetryLimits {
  /** The first one included. */
  readonly attempts: number;
  /** Pause after the first failure, in ms; it doubles, give or take half. */
  readonly firstMs: number;
  /** No attempt begins later than this after the first, in ms. */
  readonly totalMs: number;
}

/** One exchange with Azure that failed. */
export interface FailedExchange {
  readonly method: string;
  /** Without its query. */
  readonly path: string;
  /** `x-ms-client-request-id`, the same for all attempts. */
  readonly requestId: string;
  /** From 1. */
  readonly attempt: number;
  /** As Azure gave it; undefined when there was no answer. */
  readonly status: number | undefined;
  readonly message: string;
  /** `mise-correlation-id` of the answer, which Azure's support finds it by. */
  readonly correlationId?: string | undefined;
  /** `Correlation.operation` of an error, the same. */
  readonly operation?: string | undefined;
  /** Pause until the next attempt, in ms; undefined when this was the last. */
  readonly repeatedInMs: number | undefined;
}

export interface AzureClientOptions extends UpstreamTls {
  readonly address: WorkspaceAddress;
  readonly tokens: TokenSource;
  /** Silence of the service, in ms, after which a request is given up with 504. */
  readonly timeoutMs: number;
  /** Open connections at most. */
  readonly connections: number;
  readonly retry?: Partial<RetryLimits> | undefined;
  /** For the log: without the ids in it nobody at Azure finds the request. */
  readonly onFailure?: ((exchange: FailedExchange) => void) | undefined;
}

const RETRY: RetryLimits = { attempts: 4, firstMs: 500, totalMs: 60_000 };
const MAX_PAUSE_MS = 10_000;
/** The only headers that go on: what a caller sent is for the gateway. */
const PASSED_ON: ReadonlySet<string> = new Set(['content-type', 'accept']);

/**
 * The MLflow endpoint of a workspace, asked with a token of the gateway's own. Errors come back in MLflow's shape and with
 * MLflow's status; all else comes as Azure sent it.
 */
export class AzureClient implements Requester {
  readonly #upstream: UpstreamClient;
  readonly #options: AzureClientOptions;
  readonly #retry: RetryLimits;

  constructor(options: AzureClientOptions) {
    const { address, timeoutMs, connections, caFile, rejectUnauthorized = true } = options;
    this.#options = options;
    this.#retry = { ...RETRY, ...options.retry };
    this.#upstream = new UpstreamClient({
      url: address.mlflowUrl,
      timeoutMs,
      connections,
      caFile,
      rejectUnauthorized,
    });
  }

  /**
   * Sends a request to where `/api/2.0/mlflow/…` is. What is overloaded or away for a moment is asked again, a write only when
   * it cannot have been applied.
   * @throws GatewayError as `UpstreamClient` does, and when there is no token.
   */
  async request(request: UpstreamRequest): Promise<UpstreamResponse> {
    const { method, path } = request;
    const asked = { method, path, workspace: this.#options.address };
    if (isAbsentEndpoint(path)) return absent(path);
    const answer = await this.#ask(request);
    return answer.status >= 400 ? normaliseError(answer, asked) : answer;
  }

  async close(): Promise<void> {
    await this.#upstream.close();
  }

  async #ask(request: UpstreamRequest): Promise<UpstreamResponse> {
    const requestId = randomUUID();
    const begun = performance.now();
    for (let attempt = 1; ; attempt++) {
      const outcome = await this.#try(request, requestId);
      const failure = failureOf(outcome, isRead(request));
      if (!failure) return outcome.answer as UpstreamResponse;
      const pauseMs = Math.max(failure.askedMs, backOff(attempt, this.#retry.firstMs, MAX_PAUSE_MS));
      const isLast =
        !failure.mayRepeat ||
        attempt >= this.#retry.attempts ||
        performance.now() - begun + pauseMs > this.#retry.totalMs;
      this.#options.onFailure?.({
        method: request.method,
        path: request.path.replace(/\?.*/s, ''),
        requestId,
        attempt,
        ...failure.told,
        repeatedInMs: isLast ? undefined : pauseMs,
      });
      if (!isLast) await pause(pauseMs, request.signal);
      else if (outcome.answer) return outcome.answer;
      else throw outcome.error;
    }
  }

  /** Asks with the token at hand, and on a 401 once more with another. @throws GatewayError when there is no token */
  async #try(request: UpstreamRequest, requestId: string): Promise<Outcome> {
    const { tokens } = this.#options;
    const { signal } = request;
    const token = await tokens.token({ signal });
    const outcome = await this.#send(request, requestId, token);
    if (outcome.answer?.status !== 401) return outcome;
    const held = await tokens.token({ signal });
    // Others may have had the same answer, and got another token meanwhile.
    const other = held === token ? await tokens.token({ fresh: true, signal }) : held;
    return other === token ? outcome : this.#send(request, requestId, other);
  }

  async #send(request: UpstreamRequest, requestId: string, token: string): Promise<Outcome> {
    const headers = {
      ...Object.fromEntries(
        Object.entries(request.headers ?? {}).filter(([name]) => PASSED_ON.has(name.toLowerCase())),
      ),
      'accept-encoding': 'gzip',
      authorization: `Bearer ${token}`,
      'user-agent': 'mlflow-tracking-gateway',
      'x-ms-client-request-id': requestId,
    };
    try {
      return { answer: await unzipped(await this.#upstream.request({ ...request, headers })) };
    } catch (error) {
      return { error };
    }
  }
}

/** An answer, whatever its status, or why there is none. */
type Outcome =
  | { readonly answer: UpstreamResponse; readonly error?: undefined }
  | { readonly answer?: undefined; readonly error: unknown };

interface Failure {
  readonly mayRepeat: boolean;
  readonly askedMs: number;
  readonly told: Pick<FailedExchange, 'status' | 'message' | 'correlationId' | 'operation'>;
}

const SHOWN_BYTES = 200;

function failureOf({ answer, error }: Outcome, isRead: boolean): Failure | undefined {
  if (!answer) {
    const message = error instanceof Error ? error.message : String(error);
    return { mayRepeat: mayRepeatWithout(error, isRead), askedMs: 0, told: { status: undefined, message } };
  }
  if (answer.status < 400) return undefined;
  const { status, headers, body } = answer;
  const said = readAzureError(answer);
  return {
    mayRepeat: mayRepeatAfter(answer, isRead),
    askedMs: askedPauseMs(answer),
    told: {
      status,
      message: said.message ?? body.toString('utf8', 0, SHOWN_BYTES),
      correlationId: headers['mise-correlation-id']?.toString(),
      operation: said.operation,
    },
  };
}

async function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  try {
    await sleep(ms, undefined, signal && { signal });
  } catch (cause) {
    throw cancelled(cause);
  }
}

const inflate = promisify(gunzip);

/** Runs are many times smaller so. @throws GatewayError when it is not what it says it is */
async function unzipped({ status, headers, body }: UpstreamResponse): Promise<UpstreamResponse> {
  const { 'content-encoding': encoding, 'content-length': _length, ...plain } = headers;
  if (encoding !== 'gzip' || body.length === 0) return { status, headers, body };
  try {
    return { status, headers: plain, body: await inflate(body) };
  } catch (cause) {
    throw new GatewayError('TEMPORARILY_UNAVAILABLE', 'Azure Machine Learning sent an answer that cannot be read.', {
      cause,
    });
  }
}

function absent(path: string): UpstreamResponse {
  const { status, code, message } = absentEndpoint(path);
  const body = Buffer.from(JSON.stringify({ error_code: code, message }));
  return { status, headers: { 'content-type': 'application/json' }, body };
}
