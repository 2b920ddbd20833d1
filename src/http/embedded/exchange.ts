import type { IncomingHttpHeaders } from 'node:http';

export interface EmbeddedRequest {
  readonly method: string;
  readonly path: string;
  /** Without its question mark. */
  readonly query: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  /** Aborts when the caller hangs up. */
  readonly signal: AbortSignal;
}

export interface EmbeddedAnswer {
  readonly status: number;
  readonly contentType: string;
  readonly body: Buffer;
}
