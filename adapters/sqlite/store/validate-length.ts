import { pythonLength } from '../../../src/domain/python-text.ts';
import { invalidParameter } from '../../../src/errors/gateway-error.ts';

/** @throws GatewayError INVALID_PARAMETER_VALUE for a text of more code points than `limit` */
export function validateLength(name: string, limit: number, text: string): void {
  if (text.length > limit && pythonLength(text) > limit) {
    throw invalidParameter(`'${name}' exceeds the maximum length of ${limit} characters`);
  }
}
