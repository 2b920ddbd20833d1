import { GatewayError } from '../../../src/errors/gateway-error.ts';

export const missing = (message: string) => new GatewayError('RESOURCE_DOES_NOT_EXIST', message);

/** What a database's constraints refuse: MLflow sends the database's own words, which nobody can read anything from. */
export const refused = (message: string) => new GatewayError('BAD_REQUEST', message);
