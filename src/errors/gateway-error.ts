/**
 * The error codes this gateway answers with and their HTTP status: the part of MLflow's own table that a gateway needs
 * (`mlflow/exceptions.py`, `ERROR_CODE_TO_HTTP_STATUS`).
 */
export const STATUS_OF = {
  INVALID_PARAMETER_VALUE: 400,
  BAD_REQUEST: 400,
  RESOURCE_ALREADY_EXISTS: 400,
  UNAUTHENTICATED: 401,
  PERMISSION_DENIED: 403,
  RESOURCE_DOES_NOT_EXIST: 404,
  ENDPOINT_NOT_FOUND: 404,
  REQUEST_LIMIT_EXCEEDED: 429,
  CANCELLED: 499,
  INTERNAL_ERROR: 500,
  INVALID_STATE: 500,
  NOT_IMPLEMENTED: 501,
  TEMPORARILY_UNAVAILABLE: 503,
  DEADLINE_EXCEEDED: 504,
} as const satisfies Record<string, number>;

export type ErrorCode = keyof typeof STATUS_OF;

export interface GatewayErrorOptions extends ErrorOptions {
  /** What the answer says besides, such as `Retry-After`. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** An error a caller may see: MLflow's clients branch on `code`, people read `message`. */
export class GatewayError extends Error {
  override readonly name: string = 'GatewayError';
  readonly code: ErrorCode;
  readonly headers: Readonly<Record<string, string>>;

  constructor(code: ErrorCode, message: string, { headers = {}, ...options }: GatewayErrorOptions = {}) {
    super(message, options);
    this.code = code;
    this.headers = headers;
  }

  get status(): number {
    return STATUS_OF[this.code];
  }
}

/** The error for most of what is wrong with a request, here as in MLflow. */
export const invalidParameter = (message: string, options?: ErrorOptions): GatewayError =>
  new GatewayError('INVALID_PARAMETER_VALUE', message, options);

/** Turns whatever was thrown into an error a caller may see; the text of an unexpected error stays in the log. */
export function toGatewayError(thrown: unknown): GatewayError {
  if (thrown instanceof GatewayError) return thrown;
  return new GatewayError('INTERNAL_ERROR', 'The gateway failed to handle this request; its log says why.', {
    cause: thrown,
  });
}
