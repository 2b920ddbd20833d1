import type { LedgerMember, News, Notes, RunNote } from '../plan/feed-ledger.ts';
import type { RunDirectory } from '../plan/run-directory.ts';
import type { WriteEffect } from '../plan/write-effect.ts';
import type { DirtyRuns } from './dirty-runs.ts';
import type { FlushWorker } from './flush-worker.ts';
import type { IndexKeeper } from './index-keeper.ts';
import type { Refresher } from './refresher.ts';
import type { UncertainWrites } from './uncertain-writes.ts';

export interface FeedMemberPorts {
  readonly directory: RunDirectory;
  readonly dirty: DirtyRuns;
  readonly worker: FlushWorker;
  readonly keeper: IndexKeeper;
  readonly uncertain: UncertainWrites;
  readonly refresher: Refresher;
  apply(effect: WriteEffect): Promise<void>;
}

/** A feed's part in the ledger: what it tells the other gateways that keep its index, and does when it hears of them. */
export class FeedMember implements LedgerMember {
  readonly #ports: FeedMemberPorts;

  constructor(ports: FeedMemberPorts) {
    this.#ports = ports;
  }

  noteOf(runId: string): RunNote {
    return { runId, experimentId: this.#ports.directory.experimentOf(runId) };
  }

  unsettled(): Notes {
    const { dirty, keeper, uncertain } = this.#ports;
    return {
      runs: dirty.own.map((runId) => this.noteOf(runId)),
      // Those that it only heard of, too: whoever noted them may be gone, and Redis may have forgotten.
      doubted: keeper.coverage.doubted,
      uncertain: uncertain.own,
    };
  }

  hear(news: News): void {
    const { directory, dirty, worker, keeper, uncertain, refresher } = this.#ports;
    const { runs, uncertain: open, certain, written, ...experiments } = news;
    for (const { runId, experimentId } of runs) {
      if (experimentId !== undefined) directory.learn(runId, experimentId);
      dirty.hear(runId);
    }
    if (runs.length > 0) worker.wake();
    for (const [name, effect] of open) uncertain.hear(name, effect);
    for (const name of certain) uncertain.hearEnd(name);
    for (const id of written) refresher.noteWrite(id);
    keeper.hear(experiments);
  }

  hearEpoch(epoch: number | undefined, except: ReadonlySet<string>): void {
    this.#ports.keeper.hearEpoch(epoch, except);
  }

  hearRole(leads: boolean): void {
    this.#ports.keeper.hearRole(leads);
  }

  adopt(effect: WriteEffect): void {
    void this.#ports.apply({ ...effect, uncertain: true });
  }

  missed(): void {
    this.#ports.uncertain.forgetHeard();
    this.#ports.refresher.noteWrite(undefined);
  }
}
