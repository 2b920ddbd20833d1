import { GatewayError } from './gateway-error.ts';

/** A request that is refused for its form, with a status for which MLflow has no code of its own: 408, 413, 431. */
export class RequestRefused extends GatewayError {
  override readonly name = 'RequestRefused';
  readonly #status: number;

  constructor(status: number, message: string, options?: ErrorOptions) {
    super('BAD_REQUEST', message, options);
    this.#status = status;
  }

  override get status(): number {
    return this.#status;
  }
}
