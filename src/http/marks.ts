import type { ServerResponse } from 'node:http';

/** What is noted of an answer on its way, for the metrics. */
export interface Marks {
  /** A native endpoint, an old request that is made of several, `write`, `gateway` or `pass-through`; absent when it was refused. */
  route?: string;
  source?: string;
  cache?: string;
}

export type MarkedResponse = ServerResponse & { readonly locals: Marks };
