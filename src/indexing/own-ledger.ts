import type { Claim, FeedLedger } from '../plan/feed-ledger.ts';

/** The ledger of a gateway that keeps its index alone: it has nobody to tell. */
export class OwnLedger implements FeedLedger {
  readonly isShared = false;
  readonly joined = true;
  readonly solitude = 0;
  readonly leads = true;
  readonly newsAgeMs = 0;
  #epoch: number | undefined;

  /** @param epoch that an earlier process kept the index in, and this one can go on with */
  constructor(epoch: number | undefined) {
    this.#epoch = epoch;
  }

  get epoch(): number | undefined {
    return this.#epoch;
  }

  join(): void {}

  async begin(epoch: number): Promise<boolean> {
    this.#epoch = epoch;
    return true;
  }

  async void(): Promise<void> {
    this.#epoch = undefined;
  }

  async note(): Promise<void> {}

  async catchUp(): Promise<boolean> {
    return true;
  }

  async claim(runIds: readonly string[]): Promise<ReadonlyMap<string, Claim>> {
    return new Map(runIds.map((runId) => [runId, 'mine']));
  }

  async settle(): Promise<void> {}
  async release(): Promise<void> {}
  async trust(): Promise<void> {}
  async makeCertain(): Promise<void> {}

  status(): undefined {
    return undefined;
  }

  async close(): Promise<void> {}
}
