import type { TokenReader } from './token-reader.ts';

const MAX_INT64 = 2n ** 63n - 1n;

/** A metric literal as a double; one too large is infinite (MLflow reads it with Python's `float`). */
export function parseNumber(reader: TokenReader): number {
  const token = reader.next();
  if (token.kind !== 'number') throw reader.fail('Expected a number', token);
  return Number(token.text);
}

/**
 * A literal for an int64 attribute: a bigint, or a number when it has a fraction and the entity takes one.
 * @throws FilterSyntaxError beyond int64, where databases disagree, and for fractions beyond what a double holds exactly.
 */
export function parseInteger(reader: TokenReader, fractions: boolean): bigint | number {
  const token = reader.next();
  if (token.kind !== 'number') throw reader.fail('Expected a number', token);
  if (/^-?\d+$/.test(token.text)) {
    const value = BigInt(token.text);
    if (value > MAX_INT64 || value < -MAX_INT64) throw reader.fail('Expected a 64-bit integer', token);
    return value;
  }
  const value = Number(token.text);
  if (!fractions || Math.abs(value) > Number.MAX_SAFE_INTEGER) throw reader.fail('Expected an integer', token);
  return Number.isInteger(value) ? BigInt(value) : value;
}
