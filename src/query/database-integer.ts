import { isInt64, pythonInteger } from '../domain/python-numbers.ts';
import { GatewayError, invalidParameter } from '../errors/gateway-error.ts';

/**
 * An experiment id as MLflow reads it, with Python's `int`: signs, blanks around it and single underscores are fine.
 * @throws GatewayError INVALID_PARAMETER_VALUE with MLflow's words
 */
export function readExperimentId(text: string): bigint {
  const id = pythonInteger(text);
  if (id === undefined)
    throw invalidParameter(`Invalid experiment ID '${text}'. Experiment ID must be a valid integer.`);
  return id;
}

/** @throws GatewayError INTERNAL_ERROR with MLflow's words over SQLite beyond 64 bits; other databases find nothing. */
export function checkDatabaseInteger(value: bigint): void {
  if (!isInt64(value)) throw new GatewayError('INTERNAL_ERROR', 'Python int too large to convert to SQLite INTEGER');
}

/** As above, of an integer as it was written; a text that is none is another's business. */
export const checkDatabaseText = (text: string): void => checkDatabaseInteger(pythonInteger(text) ?? 0n);
