import type { LikePart } from '../../src/query/like.ts';

const PRINTED = { any: '*', one: '?' } as const;

/** A LIKE pattern in the words of SQLite's GLOB, which regards case and where a set of one character is that character. */
export const printGlob = (parts: readonly LikePart[]): string =>
  parts.map((part) => (part.kind === 'text' ? part.text.replace(/[*?[]/g, '[$&]') : PRINTED[part.kind])).join('');
