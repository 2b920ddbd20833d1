import type { Requester } from '../upstream/upstream-client.ts';

/**
 * What the backend did with a question that carried no name: answered it; refused it, as MLflow's `basic-auth` app does, to whom
 * the gateway is an administrator; refused it otherwise; or did not answer.
 */
export type Access = 'unknown' | 'open' | 'named' | 'closed' | 'unreachable';

export interface AnonymousAccessOptions {
  /** Asks in the gateway's name, where it has one. */
  readonly own?: Requester | undefined;
  readonly periodMs?: number;
  /** Period while the backend does not answer, in ms. */
  readonly retryMs?: number;
  onChange(access: Access): void;
}

/**
 * Watches whether the backend answers anyone. Only then may one caller's answer be another's: a backend that asks who is
 * calling may give each a different one. One whose rules are known may be asked what each may read; then the gateway has to
 * see everything itself.
 */
export class AnonymousAccess {
  readonly #upstream: Requester;
  readonly #options: AnonymousAccessOptions;
  readonly #stop = new AbortController();
  #access: Access = 'unknown';
  /** When it was last seen to be open, unless it was closed since. */
  #lastOpen = Number.NEGATIVE_INFINITY;
  #timer: NodeJS.Timeout | undefined;

  constructor(upstream: Requester, options: AnonymousAccessOptions) {
    this.#upstream = upstream;
    this.#options = options;
  }

  get access(): Access {
    return this.#access;
  }

  /** Whether it answers anyone, or did when it last could be asked, no longer ago than this, in ms. */
  isOpen(graceMs: number): boolean {
    return this.#access === 'open' || (this.#access === 'unreachable' && performance.now() - this.#lastOpen <= graceMs);
  }

  /** Asks now, and again and again until `close`. Resolves after the first answer. */
  async start(): Promise<void> {
    const access = await this.#ask();
    if (this.#stop.signal.aborted) return;
    const changed = access !== this.#access;
    this.#access = access;
    if (access === 'open') this.#lastOpen = performance.now();
    if (access === 'closed' || access === 'named') this.#lastOpen = Number.NEGATIVE_INFINITY;
    const { periodMs = 30_000, retryMs = 2_000, onChange } = this.#options;
    if (changed) onChange(access);
    this.#timer = setTimeout(() => void this.start(), access === 'unreachable' ? retryMs : periodMs).unref();
  }

  close(): void {
    this.#stop.abort();
    clearTimeout(this.#timer);
  }

  async #ask(): Promise<Access> {
    try {
      const { status, headers } = await this.#upstream.request({
        method: 'POST',
        path: '/api/2.0/mlflow/experiments/search',
        headers: { 'content-type': 'application/json' },
        body: '{"max_results":1}',
        signal: this.#stop.signal,
      });
      const hasBasicAuth = status === 401 && headers['www-authenticate'] === 'Basic realm="mlflow"';
      if (hasBasicAuth && (await this.#isAdministrator())) return 'named';
      // One that is busy is as it was.
      if (status === 429 && this.#access !== 'unknown') return this.#access;
      if (status >= 500 || status === 429) return 'unreachable';
      return status === 200 ? 'open' : 'closed';
    } catch {
      return 'unreachable';
    }
  }

  /** By the `basic-auth` app's own word. */
  async #isAdministrator(): Promise<boolean> {
    const ask = { method: 'GET', path: '/api/2.0/mlflow/users/current', signal: this.#stop.signal };
    const answer = await this.#options.own?.request(ask);
    if (answer?.status !== 200) return false;
    const { is_basic_auth, user } = JSON.parse(answer.body.toString('utf8')) as CurrentUser;
    return is_basic_auth === true && user?.is_admin === true;
  }
}

interface CurrentUser {
  readonly is_basic_auth?: boolean;
  readonly user?: { readonly is_admin?: boolean };
}
