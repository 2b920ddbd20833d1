import { GatewayError } from '../errors/gateway-error.ts';

/** Nobody knows who is calling: none was named, or not proven. */
export class Unauthenticated extends GatewayError {
  override readonly name = 'Unauthenticated';

  constructor(message: string, challenge: string, options?: ErrorOptions) {
    super('UNAUTHENTICATED', message, { ...options, headers: { 'www-authenticate': challenge, ...NOT_STORED } });
  }
}

/** Too many failed attempts; `retryAfterMs` until the next one is heard. */
export class TooManyAttempts extends GatewayError {
  override readonly name = 'TooManyAttempts';

  constructor(retryAfterMs: number) {
    const seconds = Math.max(1, Math.ceil(retryAfterMs / 1_000));
    const message = `Too many failed attempts to say who is calling. Try again in ${seconds} s.`;
    super('REQUEST_LIMIT_EXCEEDED', message, { headers: { 'retry-after': `${seconds}`, ...NOT_STORED } });
  }
}

/** What the issuer of tokens says of its keys cannot be had, so that no token can be judged. */
export class IssuerUnavailable extends GatewayError {
  override readonly name = 'IssuerUnavailable';

  constructor(retryAfterMs: number, options?: ErrorOptions) {
    super('TEMPORARILY_UNAVAILABLE', 'The issuer of tokens cannot be asked for its keys. Try again later.', {
      ...options,
      headers: { 'retry-after': `${Math.max(1, Math.ceil(retryAfterMs / 1_000))}`, ...NOT_STORED },
    });
  }
}

const NOT_STORED = { 'cache-control': 'no-store' } as const;
