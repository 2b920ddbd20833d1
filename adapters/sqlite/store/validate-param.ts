import { pythonCut } from '../../../src/domain/python-text.ts';
import type { KeyValue } from '../../../src/plan/tracking-store.ts';
import { MAX_KEY_LENGTH, validateKey } from './validate-key.ts';
import { validateLength } from './validate-length.ts';

const MAX_VALUE_LENGTH = 6_000;

/**
 * A param as it is stored: a long value is cut.
 * @throws GatewayError INVALID_PARAMETER_VALUE
 */
export function validateParam({ key, value }: KeyValue, place = ''): KeyValue {
  validateKey(key, `${place}key`);
  validateLength('Param key', MAX_KEY_LENGTH, key);
  return { key, value: pythonCut(value, MAX_VALUE_LENGTH) };
}
