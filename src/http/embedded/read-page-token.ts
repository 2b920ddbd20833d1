import { type PythonJson, pythonBytes, pythonRepr } from '../../domain/python-text.ts';
import { GatewayError } from '../../errors/gateway-error.ts';
import { parsePythonBody } from './parse-python-json.ts';
import { pythonInt } from './python-numbers.ts';

const invalid = (problem: string) => new GatewayError('INVALID_PARAMETER_VALUE', `Invalid page token, ${problem}`);

const internal = (message: string) => new GatewayError('INTERNAL_ERROR', message);

const isAscii = (text: string) => Buffer.byteLength(text) === text.length;

/**
 * The offset in one of MLflow's page tokens, base64 of `{"offset": N}`; 0 for no token.
 * @throws GatewayError INVALID_PARAMETER_VALUE; INTERNAL_ERROR for what MLflow did not expect
 */
export function readPageToken(token: string): bigint {
  if (token === '') return 0n;
  if (!isAscii(token)) throw internal('string argument should contain only ASCII characters');
  // Python passes over all characters but base64's own.
  const digits = token.replace(/[^A-Za-z0-9+/=]/g, '').replace(/=+$/, '');
  const hasPadding = token.replace(/[^A-Za-z0-9+/=]/g, '').length % 4 === 0;
  if (digits.length % 4 === 1 || !hasPadding) throw invalid('could not base64-decode');
  const bytes = Buffer.from(digits, 'base64');
  const parsed = parsePythonBody(bytes);
  if (parsed === undefined) throw invalid(`decoded value=${pythonBytes(bytes)}`);
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) {
    throw internal('The page token holds no object.');
  }
  return offsetIn(parsed as Readonly<Record<string, PythonJson>>);
}

function offsetIn(token: Readonly<Record<string, PythonJson>>): bigint {
  const { offset } = token;
  const isNothing = offset === undefined || offset === null || offset === '' || offset === false || offset === 0;
  if (isNothing || offset === 0n) throw invalid(`parsed value=${pythonRepr(token)}`);
  const number = pythonInt(offset);
  if (number === undefined) throw invalid(`not stringable ${typeof offset === 'string' ? offset : pythonRepr(offset)}`);
  return number;
}

export const writePageToken = (offset: bigint): string => Buffer.from(`{"offset": ${offset}}`).toString('base64');
