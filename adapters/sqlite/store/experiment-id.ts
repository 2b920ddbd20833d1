import { GatewayError } from '../../../src/errors/gateway-error.ts';
import { invalid } from './invalid.ts';

/**
 * Reads an experiment id as Python's `int` does: signs, blanks around it and single underscores within are fine.
 * @throws GatewayError INVALID_PARAMETER_VALUE; INTERNAL_ERROR beyond 64 bits, as MLflow has it
 */
export function experimentIdOf(text: string): bigint {
  const [, sign, digits] = /^\s*([+-]?)(\d+(?:_\d+)*)\s*$/.exec(text) ?? [];
  if (digits === undefined) {
    throw invalid(`Invalid experiment ID '${text}'. Experiment ID must be a valid integer.`);
  }
  const id = BigInt(digits.replaceAll('_', '')) * (sign === '-' ? -1n : 1n);
  if (BigInt.asIntN(64, id) === id) return id;
  throw new GatewayError('INTERNAL_ERROR', 'Python int too large to convert to SQLite INTEGER');
}
