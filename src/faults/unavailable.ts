import { GatewayError } from '../errors/gateway-error.ts';

/** A dependency is down or overloaded, and it is known for how long it wants to be left alone. */
export class Unavailable extends GatewayError {
  /** In ms; bounded, since it may be another's word. */
  readonly retryAfterMs: number;

  constructor(message: string, retryAfterMs: number, options?: ErrorOptions) {
    super('TEMPORARILY_UNAVAILABLE', message, options);
    this.retryAfterMs = retryAfterMs;
  }
}

/** How long an error asks to wait, in ms: 0 when it does not say. */
export const retryAfterOf = (error: unknown): number => (error instanceof Unavailable ? error.retryAfterMs : 0);
