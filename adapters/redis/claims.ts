import type { Claim } from '../../src/plan/feed-ledger.ts';
import type { Membership } from './membership.ts';

/** So that a gateway that hangs in the middle of copying does not hold a run for long. */
const CLAIM_MS = 10_000;

/** The runs that a gateway copies, which no other copies meanwhile, each up to the mark that it had when it was claimed. */
export class Claims {
  readonly #membership: Pick<Membership, 'ask'>;
  readonly #marks = new Map<string, string>();

  constructor(membership: Pick<Membership, 'ask'>) {
    this.#membership = membership;
  }

  /** @throws when this gateway does not take part. */
  async make(runIds: readonly string[]): Promise<ReadonlyMap<string, Claim>> {
    const marks = (await this.#membership.ask('claim', String(CLAIM_MS), ...runIds)) as string[];
    return new Map(
      runIds.map((runId, i): [string, Claim] => {
        const mark = marks[i] ?? '0';
        if (mark === '0') return [runId, 'settled'];
        if (mark === '-1') return [runId, 'others'];
        this.#marks.set(runId, mark);
        return [runId, 'mine'];
      }),
    );
  }

  /** Marks that come later may be smaller: nothing is settled up to those of before. */
  forget(): void {
    this.#marks.clear();
  }

  /** These are copied. @returns items to settle, each with the mark up to which it is */
  end(runIds: readonly string[]): readonly string[] {
    const items = runIds.flatMap((runId) => [`r:${runId}`, this.#marks.get(runId) ?? '0']);
    for (const runId of runIds) this.#marks.delete(runId);
    return items;
  }

  /** These are not copied: somebody else may. */
  async release(runIds: readonly string[]): Promise<void> {
    for (const runId of runIds) this.#marks.delete(runId);
    await this.#membership.ask('release', ...runIds).catch(() => undefined);
  }
}
