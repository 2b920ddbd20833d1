import { GatewayError } from './gateway-error.ts';

/** Nobody waits for the answer any more. */
export const cancelled = (cause?: unknown): GatewayError =>
  new GatewayError('CANCELLED', 'The client closed the request.', { cause });
