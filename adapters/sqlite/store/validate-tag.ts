import { pythonCut } from '../../../src/domain/python-text.ts';
import type { KeyValue } from '../../../src/plan/tracking-store.ts';
import { MAX_KEY_LENGTH, validateKey } from './validate-key.ts';
import { validateLength } from './validate-length.ts';

const MAX_VALUE_LENGTH = 8_000;
const MAX_EXPERIMENT_VALUE_LENGTH = 20_000;

/**
 * A run's tag as it is stored: a long value is cut.
 * @throws GatewayError INVALID_PARAMETER_VALUE
 */
export function validateTag({ key, value }: KeyValue, place = ''): KeyValue {
  validateKey(key, `${place}key`);
  validateLength(`${place}key`, MAX_KEY_LENGTH, key);
  return { key, value: pythonCut(value, MAX_VALUE_LENGTH) };
}

/**
 * An experiment's tag is not cut.
 * @throws GatewayError INVALID_PARAMETER_VALUE
 */
export function validateExperimentTag({ key, value }: KeyValue): void {
  validateKey(key, 'key');
  validateLength('key', MAX_KEY_LENGTH, key);
  validateLength('value', MAX_EXPERIMENT_VALUE_LENGTH, value);
}
