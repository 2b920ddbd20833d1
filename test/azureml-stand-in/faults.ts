/** What becomes of a request, on demand. */
export interface Fault {
  /** Instead of the answer; without one, the answer itself is spoilt as below. */
  readonly status?: number;
  /** The header `Retry-After`: seconds, or a date. */
  readonly retryAfter?: number | string;
  /** Of an answer with a status: in the form of the service, an HTML page, or empty (the default). */
  readonly body?: 'json' | 'html' | 'empty';
  /** The request is carried out before that. */
  readonly applied?: boolean;
  /** The first byte comes so much later. */
  readonly delayMs?: number;
  /** The connection ends in the middle of the body. */
  readonly cut?: boolean;
  /** Which requests; any by default. */
  readonly only?: (request: ReceivedRequest) => boolean;
}

export interface ReceivedRequest {
  readonly method: string;
  /** With the query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** What JSON meant; a text that was none, as it is; undefined without a body. */
  readonly body: unknown;
}

/** The faults that are still to come. */
export class Faults {
  #planned: { readonly fault: Fault; times: number }[] = [];

  plan(fault: Fault, times: number): void {
    this.#planned.push({ fault, times });
  }

  /** The first that is for this request; it is then spent once. */
  take(request: ReceivedRequest): Fault | undefined {
    const next = this.#planned.find(({ fault }) => fault.only?.(request) ?? true);
    if (!next) return undefined;
    next.times--;
    if (next.times <= 0) this.#planned = this.#planned.filter((planned) => planned !== next);
    return next.fault;
  }
}
