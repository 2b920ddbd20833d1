import { invalidParameter } from '../../src/errors/gateway-error.ts';

/**
 * Refuses a name that Azure would take and then never find again: one with a slash is created, but `get-by-name` does not
 * know it and searches leave it out (Azure/azure-sdk-for-python#45209).
 * @throws GatewayError `INVALID_PARAMETER_VALUE`
 */
export function checkExperimentName(name: string): void {
  if (!name.includes('/')) return;
  throw invalidParameter(
    `Invalid experiment name ${JSON.stringify(name)}: Azure Machine Learning loses experiments with a slash in their ` +
      'name. Use letters, digits, "-" and "_", and a letter or digit first.',
  );
}
