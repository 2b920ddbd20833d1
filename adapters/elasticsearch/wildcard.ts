import type { LikePart } from '../../src/query/like.ts';

/** A LIKE pattern without needless parts: at most one `any` in a row, and after the `one`s beside it. */
export function normalizeLike(parts: readonly LikePart[]): readonly LikePart[] {
  const normal: LikePart[] = [];
  for (const part of parts) {
    const previous = normal.at(-1);
    if (previous?.kind !== 'any') normal.push(part);
    else if (part.kind === 'text') normal.push(part);
    else if (part.kind === 'one') normal.splice(-1, 1, part, previous);
  }
  return normal;
}

const lengthOf = (part: LikePart) => (part.kind === 'text' ? [...part.text].length : 1);

/**
 * Elasticsearch turns a pattern into a deterministic automaton, whose size may double with each `_` after a `%`, and
 * recurses over it: it refuses large ones, and a `%` repeated 8,000 times takes all of its memory.
 */
const MAX = { length: 500, lengthAfterAny: 100, onesAfterAny: 4, anys: 8 } as const;

/** Whether a normal pattern behind a prefix of that many characters is small enough to be handed to Elasticsearch. */
export function isSmall(parts: readonly LikePart[], prefixLength: number): boolean {
  const firstAny = parts.findIndex(({ kind }) => kind === 'any');
  const tail = firstAny < 0 ? [] : parts.slice(firstAny);
  const count = (kind: LikePart['kind']) => tail.filter((part) => part.kind === kind).length;
  const length = (some: readonly LikePart[]) => some.reduce((sum, part) => sum + lengthOf(part), 0);
  return (
    prefixLength + length(parts) <= MAX.length &&
    length(tail) <= MAX.lengthAfterAny &&
    count('one') <= MAX.onesAfterAny &&
    count('any') <= MAX.anys
  );
}

const escapeWildcard = (text: string) => text.replace(/[\\*?]/g, '\\$&');

/** The pattern in the words of Elasticsearch's wildcard query, where `?` is one code point and a backslash escapes. */
export const printWildcard = (parts: readonly LikePart[]): string =>
  parts.map((part) => (part.kind === 'text' ? escapeWildcard(part.text) : part.kind === 'any' ? '*' : '?')).join('');
