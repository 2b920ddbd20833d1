import { GatewayError, invalidParameter } from '../../errors/gateway-error.ts';

/** The first refusal that the checks throw, one after the other; a general one when they throw none. */
export function refusalOf(...checks: readonly (() => void)[]): GatewayError {
  for (const check of checks) {
    try {
      check();
    } catch (error) {
      if (error instanceof GatewayError) return error;
      // Nested too deeply for the stack, which nothing plain is.
      if (!(error instanceof RangeError)) throw error;
    }
  }
  return invalidParameter('This search is not understood.');
}
