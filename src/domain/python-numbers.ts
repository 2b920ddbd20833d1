import type { PythonJson } from './python-text.ts';

const INTEGER = /^\s*[+-]?\d+(_\d+)*\s*$/;
const FLOAT = /^\s*[+-]?(?:\d+(?:_\d+)*\.?(?:\d+(?:_\d+)*)?|\.\d+(?:_\d+)*)(?:e[+-]?\d+(?:_\d+)*)?\s*$/i;
const SPECIAL = /^\s*([+-]?)(inf|infinity|nan)\s*$/i;

/** A value that Python's `int` and `float` raise a TypeError or an OverflowError for; the message is Python's. */
export class NotANumber extends Error {
  override readonly name = 'NotANumber';
}

/**
 * What Python's `int(value)` gives; undefined for its ValueError.
 * @throws NotANumber
 */
export function pythonInteger(value: PythonJson | undefined): bigint | undefined {
  if (typeof value === 'bigint') return value;
  if (typeof value === 'boolean') return value ? 1n : 0n;
  if (typeof value === 'string') return INTEGER.test(value) ? integerOf(value) : undefined;
  if (typeof value !== 'number')
    throw new NotANumber(
      `int() argument must be a string, a bytes-like object or a real number, not '${pythonType(value)}'`,
    );
  if (Number.isNaN(value)) return undefined;
  if (!Number.isFinite(value)) throw new NotANumber('cannot convert float infinity to integer');
  return BigInt(Math.trunc(value));
}

function integerOf(text: string): bigint {
  const plain = text.trim().replaceAll('_', '').replace(/^\+/, '');
  return plain.startsWith('-') ? -BigInt(plain.slice(1)) : BigInt(plain);
}

/** Whether a database can hold it: 64 bits and a sign. */
export const isInt64 = (value: bigint): boolean => BigInt.asIntN(64, value) === value;

/**
 * What Python's `float(value)` gives; undefined for its ValueError.
 * @throws NotANumber
 */
export function pythonFloatOf(value: PythonJson | undefined): number | undefined {
  if (typeof value === 'number') return value;
  if (typeof value === 'boolean') return value ? 1 : 0;
  if (typeof value === 'string') return floatOfText(value);
  if (typeof value !== 'bigint')
    throw new NotANumber(`float() argument must be a string or a real number, not '${pythonType(value)}'`);
  const number = Number(value);
  if (Number.isFinite(number)) return number;
  throw new NotANumber('int too large to convert to float');
}

function floatOfText(text: string): number | undefined {
  const [, sign, word] = SPECIAL.exec(text) ?? [];
  if (word?.toLowerCase() === 'nan') return Number.NaN;
  if (word !== undefined) return sign === '-' ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  return FLOAT.test(text) ? Number(text.replaceAll('_', '')) : undefined;
}

/** The name of a value's type in Python. */
export function pythonType(value: PythonJson | undefined): string {
  if (value === undefined || value === null) return 'NoneType';
  if (Array.isArray(value)) return 'list';
  const names = { bigint: 'int', number: 'float', string: 'str', boolean: 'bool' } as Readonly<Record<string, string>>;
  return names[typeof value] ?? 'dict';
}
