import { setTimeout as sleep } from 'node:timers/promises';
import { unlessAborted } from '../faults/unless-aborted.ts';
import type { RunReader } from '../plan/run-reader.ts';
import type { RunsIndex } from '../plan/runs-index.ts';
import { persist, tryTimes } from './back-off.ts';
import type { FeedStatus } from './index-feed.ts';
import type { LiveIndex, Side } from './live-index.ts';
import { type RebuildNote, readNote, writeNote } from './rebuild-note.ts';

export interface IndexRebuildOptions {
  readonly live: LiveIndex;
  readonly reader: Pick<RunReader, 'experimentIds'>;
  /** How often the note of the index is looked at, and progress noted there, in ms. */
  readonly pollMs?: number;
  /** First wait after a failure, in ms. */
  readonly retryMs?: number;
  /** Told how far a rebuild is whenever that is another state. */
  onState?(note: RebuildNote): void;
  onFailure(error: unknown): void;
}

/** How far behind its writes the new index may be to take over, in ms, unless the old one is as far behind. */
const MAX_LAG_MS = 5_000;
/** How long searches that began in the old index may take before it is deleted, in ms. */
const LAST_SEARCHES_MS = 60_000;
/** How long a rebuild that is given up may take to clean up when the process ends, in ms. */
const CLEAN_UP_MS = 2_000;
const JOIN_POLL_MS = 5;
const DELETIONS = 4;
/** How long a feed that is not needed any more may take to end, in ms. */
const STOP_MS = 1_000;
/** How old a request may be, in ms: whoever made an older one has gone without withdrawing it. */
const MAX_REQUEST_AGE_MS = 60_000;

const NOT_ALONE =
  'Several gateways or workers keep this index, and the one that rebuilds it has to hear of every write: leave only one, ' +
  'with one worker, or have the index copied anew by deleting it.';

/** A rebuild ends because it is no longer this gateway's. */
class GivenUp extends Error {}

/**
 * Rebuilds the index when its note asks for it: fills another one beside it, has that one take the place, and deletes it.
 * What an earlier process left of a rebuild is removed at the start. See `docs/decisions/011-rebuild.md`.
 */
export class IndexRebuild {
  readonly #options: IndexRebuildOptions;
  readonly #pollMs: number;
  readonly #retryMs: number;
  readonly #stopped = new AbortController();
  #running: Promise<void> | undefined;
  #last: RebuildNote | undefined;
  #lastFailure: FeedStatus['lastFailure'];
  readonly #onFailure = (error: unknown) => {
    this.#lastFailure = { at: new Date().toISOString(), message: String(error) };
    this.#options.onFailure(error);
  };

  constructor(options: IndexRebuildOptions) {
    this.#options = options;
    this.#pollMs = options.pollMs ?? 1_000;
    this.#retryMs = options.retryMs ?? 1_000;
  }

  /** The rebuild that is under way, or was last. */
  get status(): RebuildNote | undefined {
    return this.#last;
  }

  /** Of cleaning up at the start, before which the feed does not begin, or of a rebuild. */
  get lastFailure(): FeedStatus['lastFailure'] {
    return this.#lastFailure;
  }

  /** Cleans up, starts the feed, and waits for requests, in the background. */
  start(): void {
    this.#running ??= this.#run().catch((error: unknown) => {
      if (!this.#stopped.signal.aborted) this.#onFailure(error);
    });
  }

  /** Gives up the rebuild that is under way, if one is. The index that is served goes on. */
  async stop(): Promise<void> {
    this.#stopped.abort();
    await this.#running;
    const { live } = this.#options;
    const { next } = live;
    live.dropNext();
    await next?.feed.stop(STOP_MS);
    await next?.index.close();
  }

  get #again() {
    return { firstMs: this.#retryMs, signal: this.#stopped.signal, onFailure: this.#onFailure };
  }

  async #run(): Promise<never> {
    const { live } = this.#options;
    const { signal } = this.#stopped;
    if (!live.served.ledger.isShared) await persist(() => removeLeft(live.served.index), this.#again);
    live.served.feed.start();
    if (live.served.ledger.isShared) await this.#removeLeftWhenAlone(live.served);
    for (;;) {
      await sleep(this.#pollMs, undefined, { signal, ref: false });
      try {
        await this.#look(live.served);
      } catch (error) {
        signal.throwIfAborted();
        // An index that does not answer, or is not prepared yet, is the feed's to tell of.
        if (error instanceof GivenUp) this.#onFailure(error);
      }
    }
  }

  /** What is beside a shared index may be what another gateway is just building. */
  async #removeLeftWhenAlone({ ledger, index }: Side): Promise<void> {
    while (!ledger.joined) await sleep(this.#pollMs, undefined, { signal: this.#stopped.signal, ref: false });
    if (ledger.solitude !== undefined) await persist(() => removeLeft(index), this.#again);
  }

  async #look(served: Side): Promise<void> {
    const text = await served.index.note();
    const note = readNote(text);
    if (text === undefined || !note || note.state === 'done' || note.state === 'refused') return;
    if (note.state === 'asked' && Date.now() - note.at < MAX_REQUEST_AGE_MS) return this.#rebuild(served, text, note);
    // An earlier process was at it, whose last word may have come after the cleaning up at the start.
    if (!served.ledger.isShared) await removeLeft(served.index);
    await served.index.replaceNote(text, undefined);
  }

  async #rebuild(old: Side, asked: string, { id }: RebuildNote): Promise<void> {
    const { live } = this.#options;
    const hold = new HeldNote(old.index, asked);
    const { solitude } = old.ledger;
    if (solitude === undefined) {
      if (old.ledger.leads) await hold.replace({ id, state: 'refused', at: Date.now(), failure: NOT_ALONE });
      return;
    }
    const begun: RebuildNote = { id, state: 'copying', at: Date.now() };
    // Otherwise the request was withdrawn.
    if (!(await hold.replace(begun))) return;
    this.#tell(begun);
    const next = live.openNext(old.index.beside());
    next.feed.start();
    try {
      await this.#fill(next, old, hold, { id, solitude });
      await persist(
        () => next.index.replaceNote(undefined, writeNote({ id, state: 'swapped', at: Date.now() })),
        this.#again,
      );
    } catch (error) {
      live.dropNext();
      await this.#discard(next, hold).catch(this.#onFailure);
      throw error;
    }
    await persist(() => next.index.takeOver(), this.#again);
    live.swap(solitude);
    while (!live.served.ledger.joined) await sleep(JOIN_POLL_MS, undefined, { signal: this.#stopped.signal });
    this.#tell({ ...this.#last, id, state: 'swapped', at: Date.now() });
    await this.#deleteOld(old);
    await this.#finish(next.index, id);
  }

  /** @throws GivenUp when somebody else has the index, or the note; the signal's reason when it aborts. */
  async #fill(
    next: Side,
    old: Side,
    hold: HeldNote,
    { id, solitude }: { id: string; solitude: number },
  ): Promise<void> {
    const { signal } = this.#stopped;
    for (;;) {
      await sleep(this.#pollMs, undefined, { signal, ref: false });
      const { superseded, backfill: progress, lastFailure } = next.feed.status();
      if (superseded || old.feed.status().superseded) throw new GivenUp('Another gateway has the index now.');
      if (old.ledger.solitude !== solitude) throw new GivenUp(NOT_ALONE);
      try {
        const note = this.#tell({ id, state: 'copying', at: Date.now(), progress, failure: lastFailure?.message });
        if (!(await hold.replace(note)))
          throw new GivenUp('The rebuild is given up: its note in the index was changed.');
        if (await this.#isCopied(next, old)) return;
      } catch (error) {
        signal.throwIfAborted();
        if (error instanceof GivenUp) throw error;
        this.#onFailure(error);
      }
    }
  }

  /** Whether the new index can answer whatever the old one can, as of now. */
  async #isCopied(next: Side, old: Side): Promise<boolean> {
    const { epoch, queuedExperiments, backfill, oldestDirtyAgeMs } = next.feed.status();
    if (epoch === undefined || queuedExperiments > 0) return false;
    if (backfill && backfill.experimentsDone < backfill.experiments) return false;
    const status = old.feed.status();
    if (oldestDirtyAgeMs > Math.max(MAX_LAG_MS, status.oldestDirtyAgeMs)) return false;
    const ids = await this.#options.reader.experimentIds(this.#stopped.signal);
    const recorded = await next.index.coverage(ids, epoch);
    const missing = ids.filter((id) => !recorded.has(id));
    if (missing.length === 0 || status.epoch === undefined) return true;
    // One that cannot be copied must not hold up all others.
    const before = await old.index.coverage(missing, status.epoch);
    return !missing.some((id) => before.get(id) === 'complete');
  }

  async #discard(next: Side, hold: HeldNote): Promise<void> {
    const work = async () => {
      await next.feed.stop(STOP_MS);
      await next.index.destroy();
      await next.index.close();
      await hold.replace(undefined);
    };
    // What is left when there is no time is removed at the next start.
    if (this.#stopped.signal.aborted) await unlessAborted(work(), AbortSignal.timeout(CLEAN_UP_MS));
    else await work();
    this.#last = undefined;
  }

  /** What it cannot delete, the next start or the next rebuild does. */
  async #deleteOld({ searched, feed, index }: Side): Promise<void> {
    const onFailure = this.#onFailure;
    const bound = AbortSignal.any([this.#stopped.signal, AbortSignal.timeout(LAST_SEARCHES_MS)]);
    await searched.idle(bound).catch(() => undefined);
    await feed.stop(STOP_MS);
    const again = { firstMs: this.#retryMs, signal: AbortSignal.timeout(LAST_SEARCHES_MS), onFailure };
    await tryTimes(DELETIONS, () => index.destroy(), again).catch(onFailure);
    await index.close().catch(onFailure);
  }

  async #finish(index: RunsIndex, id: string): Promise<void> {
    const swapped = await index.note();
    const { progress } = this.#last ?? {};
    const done = this.#tell({ id, state: 'done', at: Date.now(), progress });
    if (readNote(swapped)?.id === id) await index.replaceNote(swapped, writeNote(done));
  }

  #tell(note: RebuildNote): RebuildNote {
    const isNews = this.#last?.id !== note.id || this.#last.state !== note.state;
    this.#last = note;
    if (isNews) this.#options.onState?.(note);
    return note;
  }
}

/** Removes what an earlier process left beside an index. */
async function removeLeft(index: RunsIndex): Promise<void> {
  const left = index.beside();
  try {
    await left.destroy();
  } finally {
    await left.close();
  }
}

/** The note of a rebuild, as long as nobody else changes it. */
class HeldNote {
  readonly #index: RunsIndex;
  #text: string;

  constructor(index: RunsIndex, text: string) {
    this.#index = index;
    this.#text = text;
  }

  /** False when somebody else did. */
  async replace(note: RebuildNote | undefined): Promise<boolean> {
    const text = note && writeNote(note);
    if (!(await this.#index.replaceNote(this.#text, text))) return false;
    this.#text = text ?? '';
    return true;
  }
}
