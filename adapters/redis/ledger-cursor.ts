import type { News, RunNote } from '../../src/plan/feed-ledger.ts';
import type { WriteEffect } from '../../src/plan/write-effect.ts';

/** Items, each followed by its mark. */
type Marked = readonly string[];

/** The answer of the script `look`. */
export type LookReply = readonly [
  epoch: string,
  leader: string,
  /** Members whose lease is over. */
  lapsed: number,
  members: readonly string[],
  arrivals: string,
  noted: Marked,
  details: readonly string[],
  settled: Marked,
];

/**
 * How far a gateway has heard what is in a ledger: the mark up to which it knows everything, and what of the rest it knows
 * because it did it itself.
 */
export class LedgerCursor {
  /** What the names of this gateway's uncertain writes begin with. */
  readonly #ownWrites: string;
  #position = 0;
  /** Marks of what this gateway noted or settled itself, until they are heard. */
  readonly #own = new Map<string, number>();
  /** Items whose note is on its way, as they were sent. */
  readonly #onTheWay = new Set<readonly string[]>();
  /** The last known note of each doubted experiment. */
  readonly #doubts = new Map<string, number>();

  constructor(ownWrites: string) {
    this.#ownWrites = ownWrites;
  }

  /** The mark after which there is news. */
  get position(): number {
    return this.#position;
  }

  /** Everything is heard again. */
  rewind(): void {
    this.#position = 0;
    this.#own.clear();
    this.#doubts.clear();
  }

  /** The mark up to which an experiment is known to be doubted. */
  doubtOf(experimentId: string): number | undefined {
    return this.#doubts.get(`x:${experimentId}`);
  }

  /** Experiments whose doubt is on its way. */
  get doubtsOnTheWay(): ReadonlySet<string> {
    return new Set([...this.#onTheWay].flatMap((items) => items.filter(isDoubt).map((item) => item.slice(2))));
  }

  /** These are about to be noted; the result is called when that has ended. */
  expect(items: readonly string[]): () => void {
    this.#onTheWay.add(items);
    return () => void this.#onTheWay.delete(items);
  }

  /** All that is unsettled is said anew: no note that was sent before has to come for it. */
  sayAnew(): void {
    this.#onTheWay.clear();
  }

  /** This gateway noted or settled these itself. */
  did(items: readonly string[], mark: number): void {
    for (const item of items) {
      this.#own.set(item, mark);
      if (isDoubt(item)) this.#doubts.set(item, mark);
    }
  }

  /** What is new in a look, in the feed's words. From then on it is known. */
  hear([, , , , , noted, details, settled]: LookReply): News {
    const runs: RunNote[] = [];
    const doubted: string[] = [];
    const uncertain = new Map<string, WriteEffect>();
    const [written, trusted, certain, created]: [string[], string[], string[], string[]] = [[], [], [], []];
    const marks = [this.#position];
    for (const [i, item, mark] of pairs(noted)) {
      marks.push(mark);
      if (!this.#isNews(item, mark)) continue;
      const [kind, name, detail] = [item[0], item.slice(2), details[i]];
      if (kind === 'r') runs.push({ runId: name, experimentId: detail || undefined });
      else if (kind === 'u') uncertain.set(item, JSON.parse(detail ?? '') as WriteEffect);
      else {
        this.#doubts.set(item, mark);
        doubted.push(name);
      }
    }
    for (const [, item, mark] of pairs(settled)) {
      marks.push(mark);
      if (!this.#isNews(item, mark)) continue;
      const [kind, name] = [item[0], item.slice(2)];
      if (kind === 'w') written.push(name);
      else if (kind === 'u') certain.push(item);
      else if (kind === 'c') created.push(name);
      else if (!this.#isDoubtedSince(item, mark)) trusted.push(name);
    }
    this.#advance(marks);
    return { runs, doubted, uncertain, written, trusted, certain, created };
  }

  #isNews(item: string, mark: number): boolean {
    return mark > this.#position && !item.startsWith(this.#ownWrites) && this.#own.get(item) !== mark;
  }

  #isDoubtedSince(item: string, mark: number): boolean {
    if ((this.#doubts.get(item) ?? 0) > mark) return true;
    for (const items of this.#onTheWay) if (items.includes(item)) return true;
    return false;
  }

  #advance(marks: readonly number[]): void {
    this.#position = marks.reduce((last, mark) => Math.max(last, mark));
    for (const [item, mark] of this.#own) if (mark <= this.#position) this.#own.delete(item);
  }
}

const isDoubt = (item: string): boolean => item.startsWith('x:');

function* pairs(marked: Marked): Generator<[index: number, item: string, mark: number]> {
  for (let i = 0; i < marked.length; i += 2) yield [i / 2, marked[i] ?? '', Number(marked[i + 1])];
}
