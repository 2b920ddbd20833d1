import type { UpstreamResponse } from '../../src/upstream/upstream-client.ts';

/** What an answer that is no success says of itself, in whichever of Azure's forms. */
export interface AzureError {
  /** MLflow's word for it, at the top: `INVALID_PARAMETER_VALUE`. */
  readonly errorCode: string | undefined;
  readonly message: string | undefined;
  /** Azure's words, the outer one first: `UserError`, `AuthorizationError`. */
  readonly codes: readonly string[];
  /** What Azure's support finds the request by. */
  readonly operation: string | undefined;
}

type Fields = Readonly<Record<string, unknown>>;

/** Reads the forms `{"Error": {…}}` and `{"error": {…}}`, MLflow's own `{"error_code", "message"}`, and none. */
export function readAzureError({ body }: Pick<UpstreamResponse, 'body'>): AzureError {
  const answer = fieldsOf(parse(body));
  const error = fieldsOf(field(answer, 'error'));
  return {
    errorCode: textOf(answer.error_code),
    message: textOf(field(error, 'message')) ?? textOf(answer.message),
    codes: codesOf(error),
    operation: textOf(field(fieldsOf(field(answer, 'correlation')), 'operation')),
  };
}

/** Whether the request was at fault, whatever the status: some refusals come as 5xx (MicrosoftDocs/azure-docs#90426). */
export const isRefusal = ({ codes }: AzureError): boolean => codes.some((code) => REFUSALS.has(code));

const REFUSALS: ReadonlySet<string> = new Set(['UserError', 'ValidationError']);

function parse(body: Buffer): unknown {
  if (body[0] !== 0x7b) return undefined;
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    return undefined;
  }
}

const fieldsOf = (value: unknown): Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : {};

/** By its name in lower camel case, or with a capital: the versions of the service differ in that. */
const field = (fields: Fields, name: string) => fields[name] ?? fields[`${name[0]?.toUpperCase()}${name.slice(1)}`];

const textOf = (value: unknown) => (typeof value === 'string' && value !== '' ? value : undefined);

/** Deeper ones are not looked for: nobody nests errors so. */
const MAX_DEPTH = 10;

function codesOf(error: Fields, depth = 0): string[] {
  const code = textOf(field(error, 'code'));
  const inner = fieldsOf(field(error, 'innerError'));
  return [...(code === undefined ? [] : [code]), ...(depth < MAX_DEPTH ? codesOf(inner, depth + 1) : [])];
}
