import type { LegacyPlaces } from './legacy/legacy-requests.ts';

/** Whom the gateway answers, and how. */
export interface ListenRules {
  /** Below which everything is served, such as `/mlflow`; empty for none. */
  readonly pathPrefix: string;
  readonly allowedHosts: readonly string[];
  readonly allowedOrigins: readonly string[];
  /** Addresses and ranges of the proxies in front whose word on a caller counts. */
  readonly trustedProxies: readonly string[];
  /** Bodies of requests that are held at a time, in bytes. */
  readonly bodyMemoryBytes: number;
  /** Answers in JSON from so many bytes on are compressed for clients that ask for it; 0 for none. */
  readonly compressFromBytes: number;
  readonly legacyRequests: LegacyPlaces;
}
