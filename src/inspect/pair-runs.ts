import { runDifferences } from '../domain/run-differences.ts';
import { decodeRun } from '../domain/run-text.ts';

/** A listing of runs, newest first. */
export type Pages = AsyncIterable<readonly string[]>;

interface FoundRun {
  readonly text: string;
  readonly startTime: bigint;
}

/** One of two listings, newest run first, as far as it is read. */
class Listing {
  readonly #pages: AsyncIterator<readonly string[]>;
  /** Runs that the other listing has not shown yet. */
  readonly unpaired = new Map<string, FoundRun>();
  #lastPage = new Set<string>();
  /** When the oldest run so far began; undefined before the first page. */
  reached: bigint | undefined;
  ended = false;

  constructor(pages: Pages) {
    this.#pages = pages[Symbol.asyncIterator]();
  }

  isBehind(other: Listing): boolean {
    if (this.ended) return false;
    return other.ended || this.reached === undefined || (other.reached !== undefined && this.reached >= other.reached);
  }

  /** Reads a page. @returns how many runs it brought that the page before had not. */
  async advance(): Promise<number> {
    const { done, value } = await this.#pages.next();
    if (done) {
      this.ended = true;
      return 0;
    }
    const page = new Set<string>();
    let fresh = 0;
    for (const text of value) {
      const { runId, startTime } = decodeRun(text);
      page.add(runId);
      this.reached = startTime;
      // A listing may begin a page with runs that ended the one before.
      if (this.#lastPage.has(runId)) continue;
      this.unpaired.set(runId, { text, startTime });
      fresh++;
    }
    this.#lastPage = page;
    return fresh;
  }

  /** Whether the listing would have shown a run that began then. */
  isPast(startTime: bigint): boolean {
    return this.ended || (this.reached !== undefined && this.reached < startTime);
  }

  async close(): Promise<void> {
    await this.#pages.return?.();
  }
}

/**
 * Holds two listings of the same runs against each other, both newest first, without keeping more of them than a few
 * pages. Yields the ids of runs that look different, or that only one of them has; some twice.
 * @param onRead told how many more runs the left one has shown
 */
export async function* pairRuns(
  left: Pages,
  right: Pages,
  onRead: (runs: number) => void,
): AsyncGenerator<readonly string[]> {
  const a = new Listing(left);
  const b = new Listing(right);
  try {
    while (!a.ended || !b.ended) {
      const [aIsBehind, bIsBehind] = [a.isBehind(b), b.isBehind(a)];
      const [read] = await Promise.all([aIsBehind ? a.advance() : 0, bIsBehind ? b.advance() : 0]);
      onRead(read);
      yield [...pair(a, b), ...leftBehind(a, b), ...leftBehind(b, a)];
    }
  } finally {
    await Promise.all([a.close(), b.close()]);
  }
}

function pair(a: Listing, b: Listing): string[] {
  const suspects: string[] = [];
  for (const [runId, { text }] of a.unpaired) {
    const found = b.unpaired.get(runId);
    if (!found) continue;
    a.unpaired.delete(runId);
    b.unpaired.delete(runId);
    if (runDifferences(text, found.text).length > 0) suspects.push(runId);
  }
  return suspects;
}

/** Runs that the other listing has passed without showing them. */
function leftBehind(listing: Listing, other: Listing): string[] {
  const ids = [...listing.unpaired].filter(([, { startTime }]) => other.isPast(startTime)).map(([runId]) => runId);
  for (const id of ids) listing.unpaired.delete(id);
  return ids;
}
