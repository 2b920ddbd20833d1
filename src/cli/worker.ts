import type { Config } from '../config/schema.ts';
import type { Secrets } from '../config/secrets.ts';

/** A process that is one of several that share the port, each a whole gateway. */
export interface Worker {
  /** From 1 on; a worker that ended is followed by one of the same number. */
  readonly number: number;
  readonly of: number;
  /** Resolves when it is to stop. */
  readonly stopped: Promise<unknown>;
  /** Says that it serves, in a line for people. */
  tellStarted(line: string): void;
  gatherMetrics(): Promise<string | undefined>;
  /** Of a gateway beside another in the same process, whose metrics are gathered: its own are those of this process alone. */
  readonly isBeside?: boolean;
}

/** Holds the number of a worker, in its environment. */
export const WORKER_VARIABLE = 'MLFLOW_GATEWAY_WORKER';

/** What the first process says to a worker. The configuration is sent, since its file may have changed since the others read it. */
export type ToWorker =
  | { readonly type: 'serve'; readonly config: Config; readonly secrets: Secrets }
  | { readonly type: 'stop' }
  | { readonly type: 'metrics'; readonly id: number; readonly text?: string | undefined };

export type FromWorker =
  | { readonly type: 'started'; readonly line: string }
  | { readonly type: 'metrics'; readonly id: number };
