import type { Dialect } from '../domain/dialect.ts';

/** A LIKE pattern read by one dialect: literal text, `%` (any run of characters) and `_` (any one character). */
export type LikePart =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'any' }
  | { readonly kind: 'one' };

/**
 * Reads a LIKE pattern. On PostgreSQL and MySQL a backslash makes the next character literal; SQLite has no escape.
 * A backslash at the very end is literal here; PostgreSQL refuses such a pattern, so the parser hands it on.
 */
export function parseLike(pattern: string, dialect: Dialect): readonly LikePart[] {
  const parts: LikePart[] = [];
  let text = '';
  const flush = () => {
    if (text) parts.push({ kind: 'text', text });
    text = '';
  };
  const characters = [...pattern];
  for (let i = 0; i < characters.length; i++) {
    const character = characters[i] ?? '';
    if (character === '\\' && dialect !== 'sqlite' && i + 1 < characters.length) {
      text += characters[++i];
    } else if (character === '%' || character === '_') {
      flush();
      parts.push({ kind: character === '%' ? 'any' : 'one' });
    } else {
      text += character;
    }
  }
  flush();
  return parts;
}

/** Lower-cases A to Z and nothing else: what SQLite's `lower()`, and so its ILIKE, does. */
export function foldAscii(text: string): string {
  return text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
}

/** Whether the whole of `text` fits the pattern; `_` stands for one code point, line breaks included. */
export function matchesLike(text: string, parts: readonly LikePart[]): boolean {
  const characters = [...text];
  let positions = new Set([0]);
  for (const part of parts) {
    const next = new Set<number>();
    for (const at of positions) {
      if (part.kind === 'any') for (let to = at; to <= characters.length; to++) next.add(to);
      else if (part.kind === 'one' && at < characters.length) next.add(at + 1);
      else if (part.kind === 'text' && startsWith(characters, [...part.text], at)) next.add(at + [...part.text].length);
    }
    positions = next;
  }
  return positions.has(characters.length);
}

const startsWith = (characters: readonly string[], wanted: readonly string[], at: number) =>
  wanted.every((character, i) => characters[at + i] === character);
