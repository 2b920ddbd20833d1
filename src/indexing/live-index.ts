import type { Feed } from '../plan/feed.ts';
import type { FeedJournal } from '../plan/feed-journal.ts';
import type { FeedLedger } from '../plan/feed-ledger.ts';
import type { RunsIndex } from '../plan/runs-index.ts';
import type { WriteEffect } from '../plan/write-effect.ts';
import type { IndexFeed } from './index-feed.ts';
import { OwnLedger } from './own-ledger.ts';
import { SearchedIndex } from './searched-index.ts';
import { SideJournal } from './side-journal.ts';
import { SideLedger } from './side-ledger.ts';

/** An index with what keeps it up to date. */
export interface Side {
  readonly index: RunsIndex;
  readonly feed: IndexFeed;
  readonly journal: SideJournal;
  readonly ledger: SideLedger;
  readonly searched: SearchedIndex;
}

export interface LiveIndexParts {
  readonly index: RunsIndex;
  readonly journal: FeedJournal;
  /** By default this gateway keeps the index alone. */
  readonly ledger?: FeedLedger | undefined;
  /** Makes the feed of an index; `onRepaired` is to be told what it repairs. */
  openFeed(parts: {
    readonly index: RunsIndex;
    readonly journal: FeedJournal;
    readonly ledger: FeedLedger;
    onRepaired(effect: WriteEffect): void;
  }): IndexFeed;
}

interface WriteUnderWay {
  readonly effect: WriteEffect;
  readonly ends: (() => void)[];
}

/**
 * The index that searches ask, and during a rebuild a second one that hears of the same writes and takes its place in the
 * end. Why it is never wrong: `docs/decisions/011-rebuild.md`.
 */
export class LiveIndex implements Pick<Feed, 'expect' | 'apply'> {
  readonly #openFeed: LiveIndexParts['openFeed'];
  readonly #underWay = new Set<WriteUnderWay>();
  #served: Side;
  #next: Side | undefined;

  constructor({ index, journal, ledger, openFeed }: LiveIndexParts) {
    this.#openFeed = openFeed;
    const kept = ledger ?? new OwnLedger(journal.unfinished.epoch);
    this.#served = this.#open(index, new SideJournal(journal), new SideLedger(kept));
  }

  /** The one that searches ask. A search takes it once, since what is said of readiness is said of one index. */
  get served(): Side {
    return this.#served;
  }

  get next(): Side | undefined {
    return this.#next;
  }

  #open(index: RunsIndex, journal: SideJournal, ledger: SideLedger): Side {
    const feed = this.#openFeed({
      index,
      journal,
      ledger,
      // What one has found of writes past the gateway, the other may have copied before they were made.
      onRepaired: (effect) => {
        if (index === this.#served.index) void this.#next?.feed.apply(effect);
      },
    });
    return { index, feed, journal, ledger, searched: new SearchedIndex(index, feed) };
  }

  expect(effect: WriteEffect): () => void {
    const write = { effect, ends: this.#sides.map(({ feed }) => feed.expect(effect)) };
    this.#underWay.add(write);
    return () => {
      this.#underWay.delete(write);
      for (const end of write.ends) end();
    };
  }

  async apply(effect: WriteEffect): Promise<void> {
    await Promise.all(this.#sides.map(({ feed }) => feed.apply(effect)));
  }

  get #sides(): readonly Side[] {
    return this.#next ? [this.#served, this.#next] : [this.#served];
  }

  /**
   * Opens a feed over another index, that hears of every write from now on and of every one that is not settled yet. It
   * copies what is older when it is started.
   */
  openNext(index: RunsIndex): Side {
    const next = this.#open(index, new SideJournal(), new SideLedger());
    for (const { effect, ends } of this.#underWay) ends.push(next.feed.expect(effect));
    for (const effect of this.#served.feed.uncertainWrites) void next.feed.apply({ ...effect, uncertain: true });
    this.#next = next;
    return next;
  }

  /** Lets go of the other index, which is the caller's to stop. */
  dropNext(): void {
    this.#next = undefined;
  }

  /**
   * The other index is the one that counts from now on, if this gateway was alone in this solitude since it was opened. Gives
   * the one before, which is the caller's to stop.
   */
  swap(solitude: number | undefined): Side {
    const before = this.#served;
    if (!this.#next) throw new Error('There is no other index.');
    this.#served = this.#next;
    this.#next = undefined;
    before.searched.retire();
    this.#served.journal.succeed(before.journal);
    this.#served.ledger.succeed(before.ledger, solitude);
    return before;
  }
}
