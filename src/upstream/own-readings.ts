import { GatewayError } from '../errors/gateway-error.ts';
import { Breaker, type BreakerOptions } from '../faults/breaker.ts';
import { Unavailable } from '../faults/unavailable.ts';
import { retryAfterMs } from './retry-after.ts';
import type { Requester, UpstreamRequest, UpstreamResponse } from './upstream-client.ts';

/** What servers and the proxies in front of them say when they are overloaded or away. A 500 may be about one question. */
const BUSY: ReadonlySet<number> = new Set([429, 502, 503, 504]);

const FIRST_MS = 500;
const MAX_MS = 2_000;
const PROBE_TIMEOUT_MS = 10_000;

/**
 * The client for what the gateway asks for itself, to fill the index: a backend that is overloaded or away is left alone
 * for as long as it says, and meanwhile asked one small question at a time. Callers' requests never go this way.
 */
export class OwnReadings {
  readonly breaker: Breaker;
  readonly #client: Requester;

  constructor(client: Requester, options: Pick<BreakerOptions, 'onChange'> = {}) {
    this.#client = client;
    this.breaker = new Breaker({
      ...options,
      name: 'upstream',
      probe: () => this.#probe(),
      firstMs: FIRST_MS,
      maxMs: MAX_MS,
    });
  }

  /**
   * As the client's own.
   * @throws GatewayError as well when the backend says that it is busy, or said so a moment ago.
   */
  request(request: UpstreamRequest): Promise<UpstreamResponse> {
    return this.breaker.run(() => this.#ask(request), isOutage);
  }

  close(): void {
    this.breaker.stop();
  }

  async #ask(request: UpstreamRequest): Promise<UpstreamResponse> {
    const answer = await this.#client.request(request);
    if (!BUSY.has(answer.status)) return answer;
    const { status, headers, body } = answer;
    const message = `The MLflow server answered ${status}: ${body.toString('utf8', 0, 200)}`;
    throw new Unavailable(message, retryAfterMs(headers['retry-after']));
  }

  /** A question that reaches the database. */
  #probe(): Promise<UpstreamResponse> {
    return this.#ask({
      method: 'POST',
      path: '/api/2.0/mlflow/experiments/search',
      headers: { 'content-type': 'application/json' },
      body: '{"max_results":1}',
      signal: AbortSignal.timeout(PROBE_TIMEOUT_MS),
    });
  }
}

const isOutage = (error: unknown): boolean =>
  error instanceof GatewayError && (error.code === 'TEMPORARILY_UNAVAILABLE' || error.code === 'DEADLINE_EXCEEDED');
