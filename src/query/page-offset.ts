import { parsePythonBody } from '../domain/parse-python-json.ts';
import { NotANumber, pythonInteger, pythonType } from '../domain/python-numbers.ts';
import { type PythonJson, pythonBytes, pythonRepr } from '../domain/python-text.ts';
import { GatewayError, invalidParameter } from '../errors/gateway-error.ts';

/** One of MLflow's own page tokens, base64 of `{"offset": N}`. */
export const writePageOffset = (offset: bigint | number): string =>
  Buffer.from(`{"offset": ${offset}}`).toString('base64');

/**
 * The offset in a page token as MLflow reads it (`parse_start_offset_from_page_token`); 0 without one. It may be negative.
 * @throws GatewayError INVALID_PARAMETER_VALUE with MLflow's words; INTERNAL_ERROR for what MLflow did not expect
 */
export function readPageOffset(token: string): bigint {
  if (token === '') return 0n;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: ASCII begins with them
  if (/[^\x00-\x7f]/.test(token)) throw internal('string argument should contain only ASCII characters');
  const bytes = decodeBase64(token);
  if (!bytes) throw invalidParameter('Invalid page token, could not base64-decode');
  const value = parsePythonBody(bytes);
  if (value === undefined) throw invalidParameter(`Invalid page token, decoded value=${pythonBytes(bytes)}`);
  if (pythonType(value) !== 'dict') throw internal(`'${pythonType(value)}' object has no attribute 'get'`);
  const { offset = null } = value as Readonly<Record<string, PythonJson>>;
  if (!isTruthy(offset)) throw invalidParameter(`Invalid page token, parsed value=${pythonRepr(value)}`);
  const integer = toInteger(offset);
  if (integer !== undefined) return integer;
  const shown = typeof offset === 'string' ? offset : pythonRepr(offset);
  throw invalidParameter(`Invalid page token, not stringable ${shown}`);
}

const internal = (message: string) => new GatewayError('INTERNAL_ERROR', message);

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

function isTruthy(value: PythonJson): boolean {
  if (typeof value !== 'object' || value === null) return Boolean(value) || Number.isNaN(value);
  return Object.keys(value).length > 0;
}

function toInteger(value: PythonJson): bigint | undefined {
  try {
    return pythonInteger(value);
  } catch (error) {
    if (error instanceof NotANumber) throw internal(error.message);
    throw error;
  }
}
