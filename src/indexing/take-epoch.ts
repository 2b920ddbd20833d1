import { setTimeout as sleep } from 'node:timers/promises';
import type { FeedLedger } from '../plan/feed-ledger.ts';
import type { RunsIndex } from '../plan/runs-index.ts';

/** How often a gateway that waits for the one that leads looks what became of it, in ms. */
export const LEDGER_POLL_MS = 50;

/**
 * The epoch that the gateways agreed on, if the index is in it; else the one that leads begins another.
 * @returns the epoch, and whether another process began it
 * @throws what the index or the ledger throws, or the signal's reason.
 */
export async function takeEpoch(
  index: RunsIndex,
  ledger: FeedLedger,
  signal: AbortSignal,
): Promise<{ readonly epoch: number; readonly resumed: boolean }> {
  for (;;) {
    const agreed = ledger.joined ? ledger.epoch : undefined;
    if (agreed !== undefined && (await index.epoch()) === agreed) {
      // What others wrote last may not be visible yet.
      await index.refresh();
      if (ledger.epoch === agreed) return { epoch: agreed, resumed: true };
    } else if (ledger.joined && ledger.leads) {
      const epoch = await index.beginEpoch();
      if (await ledger.begin(epoch)) return { epoch, resumed: false };
    } else if (agreed !== undefined) {
      // Another index may have the place by now.
      await index.prepare();
    }
    await sleep(LEDGER_POLL_MS, undefined, { signal, ref: false });
  }
}
