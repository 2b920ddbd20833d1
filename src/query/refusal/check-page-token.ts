import { pythonBytes, pythonFloat, pythonRepr } from '../../domain/python-text.ts';
import { GatewayError } from '../../errors/gateway-error.ts';
import { invalid } from './invalid.ts';
import { pythonInteger } from './python-integer.ts';

const internal = (message: string) => new GatewayError('INTERNAL_ERROR', message);

/**
 * Checks a page token as MLflow reads it (`parse_start_offset_from_page_token`).
 * @throws GatewayError with MLflow's words; without one MLflow would go on from this token.
 */
export function checkPageToken(token: string): void {
  if (token === '') return;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: ASCII begins with them
  if (/[^\x00-\x7f]/.test(token)) throw internal('string argument should contain only ASCII characters');
  const bytes = decodeBase64(token);
  if (!bytes) throw invalid('Invalid page token, could not base64-decode');
  const value = parseJson(bytes);
  if (value === undefined) throw invalid(`Invalid page token, decoded value=${pythonBytes(bytes)}`);
  if (!isObject(value)) throw internal(`'${typeName(value)}' object has no attribute 'get'`);
  const offset = value.offset;
  if (!isTruthy(offset)) throw invalid(`Invalid page token, parsed value=${pythonValue(value)}`);
  if (Array.isArray(offset) || isObject(offset))
    throw internal(`int() argument must be a string, a bytes-like object or a real number, not '${typeName(offset)}'`);
  if (offset instanceof Written && !Number.isFinite(Number(offset.text)) && !isInteger(offset))
    throw internal('cannot convert float infinity to integer');
  if (typeof offset === 'string' && pythonInteger(offset) === undefined)
    throw invalid(`Invalid page token, not stringable ${offset}`);
}

/** Python skips characters outside the alphabet and stops at the padding; undefined when characters are missing. */
function decodeBase64(token: string): Buffer | undefined {
  let kept = '';
  let pads = 0;
  for (const character of token) {
    if (character === '=') {
      pads++;
      if (kept.length % 4 >= 2 && (kept.length % 4) + pads >= 4) return Buffer.from(kept, 'base64');
    } else if (/[A-Za-z0-9+/]/.test(character)) {
      kept += character;
      pads = 0;
    }
  }
  return kept.length % 4 === 0 ? Buffer.from(kept, 'base64') : undefined;
}

/** A number as it was written: Python tells 1 from 1.0. */
class Written {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

type Json = null | boolean | string | Written | readonly Json[] | { readonly [name: string]: Json };

function parseJson(bytes: Buffer): Json | undefined {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    return JSON.parse(text, (_name, value: unknown, context?: { source: string }) =>
      typeof value === 'number' ? new Written(context?.source ?? String(value)) : value,
    );
  } catch {
    return undefined;
  }
}

const isObject = (value: Json | undefined): value is { readonly [name: string]: Json } =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Written);

const isInteger = ({ text }: Written) => /^-?\d+$/.test(text);

function typeName(value: Json): string {
  if (value === null) return 'NoneType';
  if (value instanceof Written) return isInteger(value) ? 'int' : 'float';
  if (typeof value === 'string') return 'str';
  if (typeof value === 'boolean') return 'bool';
  return Array.isArray(value) ? 'list' : 'dict';
}

function isTruthy(value: Json | undefined): value is Json {
  if (value instanceof Written) return Number(value.text) !== 0;
  if (typeof value === 'string') return value !== '';
  if (Array.isArray(value)) return value.length > 0;
  if (isObject(value)) return Object.keys(value).length > 0;
  return value === true;
}

const PYTHON_WORDS = new Map<unknown, string>([
  [null, 'None'],
  [true, 'True'],
  [false, 'False'],
]);

function pythonValue(value: Json): string {
  if (value instanceof Written) return isInteger(value) ? String(BigInt(value.text)) : pythonFloat(Number(value.text));
  if (typeof value === 'string') return pythonRepr(value);
  if (Array.isArray(value)) return `[${value.map(pythonValue).join(', ')}]`;
  if (!isObject(value)) return PYTHON_WORDS.get(value) ?? '';
  const entries = Object.entries(value).map(([name, inner]) => `${pythonRepr(name)}: ${pythonValue(inner)}`);
  return `{${entries.join(', ')}}`;
}
