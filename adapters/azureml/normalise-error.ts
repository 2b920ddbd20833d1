import { type ErrorCode, STATUS_OF } from '../../src/errors/gateway-error.ts';
import type { UpstreamResponse } from '../../src/upstream/upstream-client.ts';
import { type AzureError, isRefusal, readAzureError } from './azure-error.ts';
import type { WorkspaceNames } from './workspace-address.ts';

/** What was asked, for messages about it. */
export interface Asked {
  readonly method: string;
  readonly path: string;
  readonly workspace: Pick<WorkspaceNames, 'workspace' | 'resourceGroup'>;
}

/**
 * Any answer from 400 on as MLflow words errors: `{"error_code", "message"}` and the status that belongs to the code. Bare
 * statuses become what MLflow's client makes of them (`mlflow/exceptions.py`, `HTTP_STATUS_TO_ERROR_CODE`).
 */
export function normaliseError(answer: UpstreamResponse, asked: Asked): UpstreamResponse {
  const error = readAzureError(answer);
  const { code, status } = meaningOf(answer.status, error);
  const body = Buffer.from(JSON.stringify({ error_code: code, message: messageOf(code, answer, error, asked) }));
  return { status, headers: { ...withoutEntity(answer.headers), 'content-type': 'application/json' }, body };
}

function withoutEntity(headers: UpstreamResponse['headers']): UpstreamResponse['headers'] {
  const ENTITY = ['content-length', 'content-encoding', 'transfer-encoding', 'etag'];
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !ENTITY.includes(name)));
}

interface Meaning {
  readonly code: string;
  readonly status: number;
}

const meaning = (code: ErrorCode): Meaning => ({ code, status: STATUS_OF[code] });

function meaningOf(status: number, error: AzureError): Meaning {
  const refused = status >= 500 && isRefusal(error);
  // Of these the status is the surer sign: without a token, `error_code` may be INTERNAL_ERROR (mlflow/mlflow#5846).
  const plain = BY_STATUS[status];
  if (plain !== undefined && SURE.has(status)) return meaning(plain);
  if (error.codes.includes('AuthorizationError') || isPrivate(error))
    return meaning(/\btoken\b/i.test(error.message ?? '') ? 'UNAUTHENTICATED' : 'PERMISSION_DENIED');
  const said = saidBy(error, refused ? 400 : status);
  if (said) return said;
  if (refused || status === 400) return meaning(isAboutParameter(error) ? 'INVALID_PARAMETER_VALUE' : 'BAD_REQUEST');
  if (status === 404 && error.message !== undefined) return meaning('RESOURCE_DOES_NOT_EXIST');
  return plain ? meaning(plain) : { code: status < 500 ? 'BAD_REQUEST' : 'INTERNAL_ERROR', status };
}

const BY_STATUS: Readonly<Record<number, ErrorCode>> = {
  401: 'UNAUTHENTICATED',
  403: 'PERMISSION_DENIED',
  404: 'ENDPOINT_NOT_FOUND',
  408: 'DEADLINE_EXCEEDED',
  409: 'RESOURCE_ALREADY_EXISTS',
  429: 'REQUEST_LIMIT_EXCEEDED',
  501: 'NOT_IMPLEMENTED',
  502: 'TEMPORARILY_UNAVAILABLE',
  503: 'TEMPORARILY_UNAVAILABLE',
  504: 'DEADLINE_EXCEEDED',
  // Azure Machine Learning's own: a node of its is only starting.
  530: 'TEMPORARILY_UNAVAILABLE',
};

const SURE: ReadonlySet<number> = new Set([401, 403, 429]);

const isPrivate = ({ message = '' }: AzureError) => message.includes('private link configuration');

/** MLflow's word in the answer, unless it blames the server for what the status blames on the request. */
function saidBy(error: AzureError, status: number): Meaning | undefined {
  const { errorCode } = error;
  if (errorCode === undefined || (errorCode === 'BAD_REQUEST' && isAboutParameter(error))) return undefined;
  if (!Object.hasOwn(STATUS_OF, errorCode)) return { code: errorCode, status };
  const known = meaning(errorCode as ErrorCode);
  return status < 500 && known.status >= 500 ? undefined : known;
}

/** Where stock MLflow says INVALID_PARAMETER_VALUE: `MaxResults = 25000 is invalid: …`, `FieldName=Parameters, Limit=200`. */
const isAboutParameter = ({ codes, message = '' }: AzureError) =>
  codes.includes('ValidationError') || /is invalid:|must be|FieldName=|unsupported|not support/i.test(message);

function messageOf(code: string, { status }: UpstreamResponse, error: AzureError, { method, path, workspace }: Asked) {
  const name = `workspace ${workspace.workspace} (resource group ${workspace.resourceGroup})`;
  const said = error.message;
  if (code === 'UNAUTHENTICATED') {
    const what = said ?? `Azure Machine Learning did not accept the gateway's token.`;
    return `${what} Check that the gateway's credential is of the tenant and the cloud of ${name}.`;
  }
  if (code === 'PERMISSION_DENIED' && isPrivate(error))
    return `${said} Reach ${name} by its private host, from its network.`;
  if (code === 'PERMISSION_DENIED') {
    const what = said ?? `The gateway's identity may not do this in Azure Machine Learning.`;
    return `${what} It needs the role AzureML Data Scientist in ${name}.`;
  }
  if (said !== undefined) return said;
  if (status === 404) return `Azure Machine Learning does not have ${method} ${path.replace(/\?.*/s, '')}.`;
  return `Azure Machine Learning answered ${status} without a reason.`;
}
