/** Who is calling, as far as it was proven. Nobody in particular is `undefined`. */
export interface Caller {
  readonly user: string;
  readonly groups: readonly string[];
}

/** What a request says of its caller, and where it comes from. */
export interface Claim {
  /** The header `Authorization`, as it came. */
  readonly authorization: string | undefined;
  /** Of the client, as failed attempts are counted by it. */
  readonly address: string;
}

export interface Authenticator {
  /**
   * Judges who is calling; at once for those who proved it a moment ago. Undefined for who does not say.
   * @throws Unauthenticated for what is wrong, TooManyAttempts, IssuerUnavailable
   */
  authenticate(claim: Claim): Promise<Caller | undefined> | Caller | undefined;
  /** What says on a 401 how to answer the question (RFC 9110, 11.6.1). */
  readonly challenge: string;
  /** How to say who one is, for people. */
  readonly advice: string;
  close(): void;
}
