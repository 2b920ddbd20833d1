import type { PythonJson } from '../../domain/python-text.ts';
import { ServerFault } from './server-fault.ts';

const INTEGER = /^\s*[+-]?\d+(_\d+)*\s*$/;
const FLOAT = /^\s*[+-]?(?:\d+(?:_\d+)*\.?(?:\d+(?:_\d+)*)?|\.\d+(?:_\d+)*)(?:e[+-]?\d+(?:_\d+)*)?\s*$/i;
const SPECIAL = /^\s*([+-]?)(inf|infinity|nan)\s*$/i;

/**
 * What Python's `int(value)` gives; undefined for its ValueError.
 * @throws ServerFault for its TypeError and OverflowError, which MLflow does not expect
 */
export function pythonInt(value: PythonJson | undefined): bigint | undefined {
  if (typeof value === 'bigint') return value;
  if (typeof value === 'boolean') return value ? 1n : 0n;
  if (typeof value === 'string') return INTEGER.test(value) ? integerOf(value) : undefined;
  if (typeof value !== 'number') throw new ServerFault('int() of neither a number nor a text');
  if (Number.isNaN(value)) return undefined;
  if (!Number.isFinite(value)) throw new ServerFault('int() of an infinity');
  return BigInt(Math.trunc(value));
}

function integerOf(text: string): bigint {
  const plain = text.trim().replaceAll('_', '').replace(/^\+/, '');
  return plain.startsWith('-') ? -BigInt(plain.slice(1)) : BigInt(plain);
}

/**
 * What Python's `float(value)` gives; undefined for its ValueError.
 * @throws ServerFault for its TypeError and OverflowError
 */
export function pythonFloatOf(value: PythonJson | undefined): number | undefined {
  if (typeof value === 'number') return value;
  if (typeof value === 'boolean') return value ? 1 : 0;
  if (typeof value === 'string') return floatOfText(value);
  const number = typeof value === 'bigint' ? Number(value) : Number.NaN;
  if (Number.isFinite(number)) return number;
  throw new ServerFault('float() of what is no number, or too large');
}

function floatOfText(text: string): number | undefined {
  const [, sign, word] = SPECIAL.exec(text) ?? [];
  if (word?.toLowerCase() === 'nan') return Number.NaN;
  if (word !== undefined) return sign === '-' ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  return FLOAT.test(text) ? Number(text.replaceAll('_', '')) : undefined;
}
