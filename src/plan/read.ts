/** Who computed an answer. The header `X-Gateway-Source` says `cache` instead when it was a stored copy of one. */
export type Source = 'index' | 'backend';

/** Whether an answer of the index has every write that was acknowledged before the search, or may lack the latest. */
export type Consistency = 'strict' | 'eventual';

export interface ReadAnswer {
  readonly status: number;
  readonly contentType: string;
  readonly body: Buffer;
  readonly source: Source;
  /** How far the index may have been behind, in ms; absent when another source answered. */
  readonly lagMs?: number;
}

/** What is read: the answers of each may be kept for another time. */
export type Resource = 'run' | 'runSearch' | 'experiment' | 'experimentSearch' | 'metricHistory';

/** What a read tells of: where the backend has rights, those that a caller needs. */
export type Concern =
  | { readonly kind: 'runs-of'; readonly experimentIds: readonly string[] }
  | { readonly kind: 'runs'; readonly runIds: readonly string[] }
  | { readonly kind: 'experiment'; readonly experimentId: string }
  /** The answer says which. */
  | { readonly kind: 'named-experiment' }
  | { readonly kind: 'experiments' };

/** A read that is fully understood, so that its answer may be stored and shared. */
export interface PlannedRead {
  readonly resource: Resource;
  readonly concern: Concern;
  /** Older answers do not do, be they stale or not, in ms. */
  readonly maxAgeMs?: number;
  /** Canonical: two requests that mean the same have the same key. Holds no generation and no caller. */
  readonly key: string;
  /** Names of the generations the answer depends on (see `dependency`). */
  readonly dependsOn: readonly string[];
  /** @throws GatewayError */
  fetch(signal: AbortSignal): Promise<ReadAnswer>;
}

/** A request that is not plainly inside the known grammar: the backend answers its original bytes. */
export interface HandOn {
  /** For operators: what was not understood, with the place in the text. */
  readonly handOn: string;
}

/** Names of generations: what a write replaces and a stored answer depends on. */
export const dependency = {
  /** Everything of the backend. */
  backend: 'backend',
  /** Names, tags and stages of all experiments, and which exist. */
  experiments: 'experiments',
  /** The runs of one experiment. */
  runsOf: (experimentId: string) => `experiment:${experimentId}`,
  run: (runId: string) => `run:${runId}`,
  /** What callers may read. */
  permissions: 'permissions',
} as const;
