/** Somebody who names themselves to the backend. */
export interface BackendCaller {
  /** A keyed hash of their credentials, for keys and memory, which never hold the credentials. Another one after a restart. */
  readonly id: string;
  /** The header as it came. */
  readonly authorization: string;
}
