import { type ServerResponse, STATUS_CODES } from 'node:http';
import { type ErrorCode, type GatewayError, toGatewayError } from '../errors/gateway-error.ts';

/** What MLflow sends beside code and message (`mlflow/exceptions.py`); codes it gives no class have neither. */
const CLASS_OF: Readonly<Partial<Record<ErrorCode, readonly [sqlstate: string, errorClass: string]>>> = {
  INVALID_PARAMETER_VALUE: ['KAM00', 'INVALID_PARAMETER_VALUE'],
  BAD_REQUEST: ['KAM00', 'INVALID_PARAMETER_VALUE'],
  RESOURCE_ALREADY_EXISTS: ['KAM00', 'RESOURCE_ALREADY_EXISTS'],
  RESOURCE_DOES_NOT_EXIST: ['KAM00', 'RESOURCE_NOT_FOUND'],
  ENDPOINT_NOT_FOUND: ['KAM00', 'RESOURCE_NOT_FOUND'],
  PERMISSION_DENIED: ['KAM00', 'PERMISSION_DENIED'],
  INTERNAL_ERROR: ['XXM00', 'CLIENT_INTERNAL_ERROR'],
  INVALID_STATE: ['XXM00', 'CLIENT_INTERNAL_ERROR'],
  TEMPORARILY_UNAVAILABLE: ['XXM00', 'CLIENT_INTERNAL_ERROR'],
};

/** Answers in MLflow's error shape; an answer that has begun is cut instead, so that nobody takes it for whole. */
export function sendError(res: ServerResponse, thrown: unknown): GatewayError {
  const error = toGatewayError(thrown);
  if (res.headersSent || res.destroyed || error.code === 'CANCELLED') {
    res.destroy();
    return error;
  }
  const body = Buffer.from(errorBody(error));
  const headers = { ...error.headers, 'content-type': 'application/json', 'content-length': body.length };
  res.writeHead(error.status, headers).end(body);
  return error;
}

/** An error as MLflow words it in JSON. */
export function errorBody({ code, message }: GatewayError): string {
  const [sqlstate, errorClass] = CLASS_OF[code] ?? [];
  return JSON.stringify({ error_code: code, message, sqlstate, error_class: errorClass });
}

/** The same as a whole message, the last on its connection, for where there is nothing to answer with but the socket. */
export function errorMessage(error: GatewayError): string {
  const body = errorBody(error);
  const head = [
    `HTTP/1.1 ${error.status} ${STATUS_CODES[error.status]}`,
    'content-type: application/json',
    `content-length: ${Buffer.byteLength(body)}`,
    'connection: close',
  ];
  return `${head.join('\r\n')}\r\n\r\n${body}`;
}
