import type { Claim, FeedLedger, LedgerMember, LedgerStatus, Notes, Successor } from '../plan/feed-ledger.ts';
import { OwnLedger } from './own-ledger.ts';

/**
 * The ledger of one of two feeds: what the gateways share for the index that is served, one of its own for an index that
 * only this gateway knows of yet.
 */
export class SideLedger implements FeedLedger {
  #ledger: FeedLedger;
  #member: LedgerMember | undefined;

  constructor(ledger: FeedLedger = new OwnLedger(undefined)) {
    this.#ledger = ledger;
  }

  /** From now on this one has what the gateways share, if this gateway was alone since the other told of its solitude. */
  succeed(other: SideLedger, solitude: number | undefined): void {
    const shared = other.#ledger;
    other.#ledger = new OwnLedger(undefined);
    const { epoch } = this.#ledger;
    if (!shared.isShared || !this.#member) return;
    this.#ledger = shared;
    shared.join(this.#member, { epoch, solitude });
  }

  get isShared(): boolean {
    return this.#ledger.isShared;
  }

  get joined(): boolean {
    return this.#ledger.joined;
  }

  get solitude(): number | undefined {
    return this.#ledger.solitude;
  }

  get leads(): boolean {
    return this.#ledger.leads;
  }

  get epoch(): number | undefined {
    return this.#ledger.epoch;
  }

  get newsAgeMs(): number | undefined {
    return this.#ledger.newsAgeMs;
  }

  join(member: LedgerMember, successor?: Successor): void {
    this.#member = member;
    this.#ledger.join(member, successor);
  }

  begin(epoch: number): Promise<boolean> {
    return this.#ledger.begin(epoch);
  }

  void(): Promise<void> {
    return this.#ledger.void();
  }

  note(notes: Notes): Promise<void> {
    return this.#ledger.note(notes);
  }

  catchUp(): Promise<boolean> {
    return this.#ledger.catchUp();
  }

  claim(runIds: readonly string[]): Promise<ReadonlyMap<string, Claim>> {
    return this.#ledger.claim(runIds);
  }

  settle(runIds: readonly string[], writtenExperiments: readonly string[]): Promise<void> {
    return this.#ledger.settle(runIds, writtenExperiments);
  }

  release(runIds: readonly string[]): Promise<void> {
    return this.#ledger.release(runIds);
  }

  trust(experimentId: string): Promise<void> {
    return this.#ledger.trust(experimentId);
  }

  makeCertain(name: string): Promise<void> {
    return this.#ledger.makeCertain(name);
  }

  status(): LedgerStatus | undefined {
    return this.#ledger.status();
  }

  close(): Promise<void> {
    return this.#ledger.close();
  }
}
