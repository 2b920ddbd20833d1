import type { ServerResponse } from 'node:http';

/** What is noted of an answer on its way, for the metrics. */
export interface Marks {
  /** A native endpoint, `write`, `gateway` or `pass-through`; absent when the request was refused. */
  route?: string;
  source?: string;
  cache?: string;
}

export type MarkedResponse = ServerResponse & { readonly locals: Marks };
