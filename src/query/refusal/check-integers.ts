import { GatewayError } from '../../errors/gateway-error.ts';
import { invalid } from './invalid.ts';
import { pythonInteger } from './python-integer.ts';

const LIMIT = 2n ** 63n;

/** @throws GatewayError with MLflow's words for what Python does not read as an integer. */
export function checkExperimentId(id: string): void {
  if (pythonInteger(id) === undefined)
    throw invalid(`Invalid experiment ID '${id}'. Experiment ID must be a valid integer.`);
}

/** @throws GatewayError with MLflow's words over SQLite for an integer beyond 64 bits; other databases find nothing. */
export function checkStoredInteger(text: string): void {
  const value = pythonInteger(text) ?? 0n;
  if (value >= LIMIT || value < -LIMIT)
    throw new GatewayError('INTERNAL_ERROR', 'Python int too large to convert to SQLite INTEGER');
}
