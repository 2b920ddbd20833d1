import { type GatewayError, invalidParameter } from '../../errors/gateway-error.ts';

/** MLflow's words for a field that it needs. */
export const missing = (name: string): GatewayError =>
  invalidParameter(
    `Missing value for required parameter '${name}'. See the API docs for more information about request parameters.`,
  );
