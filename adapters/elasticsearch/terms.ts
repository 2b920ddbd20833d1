/** Lucene's bound on the bytes of one term. */
const MAX_TERM_BYTES = 32_766;

const percent = (character: string) => Buffer.from(character).toString('hex').replace(/../g, '%$&');

/**
 * A key in lower-case letters, digits and `_-%`, ended by `=`: no key is the beginning of another, a dot is no path, and
 * ignoring the case of a term ignores that of its value alone.
 */
export const encodeKey = (key: string): string => `${key.replace(/[^a-z0-9_-]/gu, percent)}=`;

/** The term that stands for "this key has this value". */
export const keyTerm = (key: string, value: string): string => encodeKey(key) + value;

/** Whether a term can be indexed, and sorted by, as it is, and means the same to a database. */
export const isIndexable = (term: string): boolean =>
  // SQLite leaves open what LIKE makes of a text with a NUL in it.
  !term.includes('\0') &&
  // A field to sort by puts one more byte between key and value.
  (term.length * 3 < MAX_TERM_BYTES || Buffer.byteLength(term) < MAX_TERM_BYTES) &&
  term.isWellFormed();
