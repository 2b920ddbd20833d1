/** A text as Python's `int` reads it: blanks around, a sign and single underscores are fine; undefined when it is none. */
export function pythonInteger(text: string): bigint | undefined {
  const match = /^\s*([+-]?)(\d+(?:_\d+)*)\s*$/.exec(text);
  if (!match) return undefined;
  const value = BigInt((match[2] ?? '').replaceAll('_', ''));
  return match[1] === '-' ? -value : value;
}
