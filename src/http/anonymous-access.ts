import type { UpstreamClient } from '../upstream/upstream-client.ts';

/** What the backend did with a question that carried no name: answered it, refused it, or did not answer. */
export type Access = 'unknown' | 'open' | 'closed' | 'unreachable';

const PERIOD_MS = 30_000;
const RETRY_MS = 2_000;

/**
 * Watches whether the backend answers anyone. Only then may one caller's answer be another's: a backend that asks who is
 * calling may give each a different one.
 */
export class AnonymousAccess {
  readonly #upstream: UpstreamClient;
  readonly #onChange: (access: Access) => void;
  readonly #stop = new AbortController();
  #access: Access = 'unknown';
  #timer: NodeJS.Timeout | undefined;

  constructor(upstream: UpstreamClient, onChange: (access: Access) => void) {
    this.#upstream = upstream;
    this.#onChange = onChange;
  }

  get access(): Access {
    return this.#access;
  }

  /** Asks now, and again and again until `close`. Resolves after the first answer. */
  async start(): Promise<void> {
    const access = await this.#ask();
    if (this.#stop.signal.aborted) return;
    if (access !== this.#access) this.#onChange(access);
    this.#access = access;
    this.#timer = setTimeout(() => void this.start(), access === 'unreachable' ? RETRY_MS : PERIOD_MS).unref();
  }

  close(): void {
    this.#stop.abort();
    clearTimeout(this.#timer);
  }

  async #ask(): Promise<Access> {
    try {
      const { status } = await this.#upstream.request({
        method: 'POST',
        path: '/api/2.0/mlflow/experiments/search',
        headers: { 'content-type': 'application/json' },
        body: '{"max_results":1}',
        signal: this.#stop.signal,
      });
      if (status >= 500) return 'unreachable';
      return status === 200 ? 'open' : 'closed';
    } catch {
      return 'unreachable';
    }
  }
}
