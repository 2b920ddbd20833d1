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

interface Ear {
  /** The mark up to which everything was heard. */
  readonly after: number;
  skip(item: string, mark: number): boolean;
  onDoubt(item: string, mark: number): void;
  /** Whether an experiment is known to have been doubted after this mark. */
  isDoubtedSince(item: string, mark: number): boolean;
}

/** Tells what is new in a look, in the feed's words, and the mark up to which everything is heard now. */
export function readNews(
  noted: Marked,
  details: readonly string[],
  settled: Marked,
  { after, skip, onDoubt, isDoubtedSince }: Ear,
): News & { readonly position: number } {
  let position = after;
  const isNews = (item: string, mark: number) => {
    position = Math.max(position, mark);
    return mark > after && !skip(item, mark);
  };
  const runs: RunNote[] = [];
  const doubted: string[] = [];
  const uncertain = new Map<string, WriteEffect>();
  for (const [i, item, mark] of pairs(noted)) {
    if (!isNews(item, mark)) continue;
    const [kind, name, detail] = [item[0], item.slice(2), details[i]];
    if (kind === 'r') runs.push({ runId: name, experimentId: detail || undefined });
    else if (kind === 'u') uncertain.set(item, JSON.parse(detail ?? '') as WriteEffect);
    else {
      onDoubt(item, mark);
      doubted.push(name);
    }
  }
  const written: string[] = [];
  const trusted: string[] = [];
  const certain: string[] = [];
  const created: string[] = [];
  for (const [, item, mark] of pairs(settled)) {
    if (!isNews(item, mark)) continue;
    const [kind, name] = [item[0], item.slice(2)];
    if (kind === 'w') written.push(name);
    else if (kind === 'u') certain.push(item);
    else if (kind === 'c') created.push(name);
    else if (!isDoubtedSince(item, mark)) trusted.push(name);
  }
  return { runs, doubted, uncertain, written, trusted, certain, created, position };
}

function* pairs(marked: Marked): Generator<[index: number, item: string, mark: number]> {
  for (let i = 0; i < marked.length; i += 2) yield [i / 2, marked[i] ?? '', Number(marked[i + 1])];
}
