/** Whether the gateways that share a store of copies can rely on it: each of them has to have told it of its writes. */
export interface Attendance {
  /** Whether others are not known of. */
  readonly isAlone: boolean;
  /** Whether the others rely on this gateway. */
  readonly joined: boolean;
  /** Whether none of them is missing. False as long as it is not known. */
  readonly isFull: boolean;
  /** The life of the store in which they met last; undefined before. */
  readonly life: string | undefined;
  /**
   * Makes this gateway one that is missing, because it cannot tell the store of a write. Returns when none of the others
   * takes it for there any more. Never rejects; bounded in time.
   */
  withdraw(reason: Error): Promise<void>;
  /** Returns when none of the others relies on this gateway in an earlier life of the store. Never rejects; bounded in time. */
  untilLeft(): Promise<void>;
}
