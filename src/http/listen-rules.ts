/** Whom the gateway answers, and how. */
export interface ListenRules {
  readonly allowedHosts: readonly string[];
  readonly allowedOrigins: readonly string[];
  /** Answers in JSON from so many bytes on are compressed for clients that ask for it; 0 for none. */
  readonly compressFromBytes: number;
}
