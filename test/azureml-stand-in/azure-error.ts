import { randomBytes } from 'node:crypto';

/** An answer that is no success, with a body in one of the forms the service has. */
export class AzureError extends Error {
  override readonly name = 'AzureError';
  readonly status: number;
  /** Undefined: an empty body. */
  readonly body: unknown;

  constructor(status: number, message: string, body?: unknown) {
    super(message);
    this.status = status;
    this.body = body;
  }
}

export interface Refusal {
  readonly status?: number;
  readonly code?: 'UserError' | 'ValidationError' | 'ServiceError';
  readonly errorCode?: string;
}

const ENVIRONMENT = 'westeurope';

/** What most of v2.0 answers to bad requests: no `message` at the top (mlflow#10694, sdk#35685, sdk#41453, sdk#42155). */
export function refusal(message: string, refused: Refusal = {}): AzureError {
  const { status = 400, code = 'UserError', errorCode = 'INVALID_PARAMETER_VALUE' } = refused;
  const unsaid = { MessageFormat: null, MessageParameters: null, ReferenceCode: null, DetailsUri: null, Target: null };
  return new AzureError(status, message, {
    Error: {
      ...{ Code: code, Severity: null, Message: message, ...unsaid },
      ...{ Details: [], InnerError: null, DebugInfo: null, AdditionalInfo: null },
    },
    Correlation: correlation(),
    ...{ Environment: ENVIRONMENT, Location: ENVIRONMENT, Time: now(), ComponentName: 'mlflow' },
    ...{ statusCode: status, error_code: errorCode },
  });
}

/** The same names in lower camel case, without `error_code` (mlflow#5846, and run history: sdk#29024). */
export function lowerCaseRefusal(status: number, message: string, inner: string, component = 'mlflow'): AzureError {
  return new AzureError(status, message, {
    error: {
      ...{ code: 'UserError', severity: null, message, messageFormat: null, messageParameters: null },
      ...{ referenceCode: null, detailsUri: null, target: null, details: [] },
      ...{ innerError: { code: inner, innerError: null }, debugInfo: null, additionalInfo: null },
    },
    correlation: correlation(),
    ...{ environment: ENVIRONMENT, location: ENVIRONMENT, time: now(), componentName: component },
  });
}

/** As MLflow itself has it (zenml-io/zenml#4207). */
export const plainError = (status: number, errorCode: string, message: string): AzureError =>
  new AzureError(status, message, { error_code: errorCode, message });

/** Guests without rights, and paths that are not there (sdk#31429, sdk#44896). */
export const emptyError = (status: number): AzureError => new AzureError(status, `status ${status}`);

export const noSuchRun = (id: string): AzureError =>
  plainError(404, 'RESOURCE_DOES_NOT_EXIST', `Run with id=${id} not found`);

const correlation = () => ({ operation: randomBytes(16).toString('hex'), request: randomBytes(8).toString('hex') });
const now = () => new Date().toISOString().replace('Z', '0000+00:00');
