import { GatewayError } from '../../errors/gateway-error.ts';

/** The error that MLflow gives for most of what it refuses. */
export const invalid = (message: string): GatewayError => new GatewayError('INVALID_PARAMETER_VALUE', message);
