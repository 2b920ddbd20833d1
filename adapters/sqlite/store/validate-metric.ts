import { pythonFloat } from '../../../src/domain/python-text.ts';
import { invalidParameter } from '../../../src/errors/gateway-error.ts';
import type { LoggedMetric } from '../../../src/plan/tracking-store.ts';
import { MAX_KEY_LENGTH, validateKey } from './validate-key.ts';
import { validateLength } from './validate-length.ts';

/**
 * @param place where it stands in a batch, such as `metrics[0].`
 * @throws GatewayError INVALID_PARAMETER_VALUE
 */
export function validateMetric({ key, value, timestamp }: LoggedMetric, place = ''): void {
  validateKey(key, `${place}name`);
  if (timestamp < 0n) {
    // The blank at the end is MLflow's.
    throw invalidParameter(
      `Invalid value ${timestamp} for parameter '${place}timestamp' supplied: metric '${key}' ` +
        `(value=${pythonFloat(value)}). Timestamp must be a nonnegative long (64-bit integer) `,
    );
  }
  validateLength('Metric name', MAX_KEY_LENGTH, key);
}
