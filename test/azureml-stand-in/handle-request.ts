import { artifactCallOf, callArtifacts } from './artifacts.ts';
import { authenticate } from './authenticate.ts';
import { type AzureError, emptyError, plainError, refusal } from './azure-error.ts';
import { endpointFor, isRead } from './endpoints/index.ts';
import type { ReceivedRequest } from './faults.ts';
import { withRunGuids } from './ids.ts';
import { INT64_KEYS, MlflowRefusal } from './mlflow-behind.ts';
import type { Rules } from './rules.ts';
import type { Call, Version, Workspace } from './workspace.ts';

const PLACE = /^\/mlflow\/(v\d+\.\d+)(\/.+?)\/api\/([23]\.0)\/(.+)$/;
const OF_MLFLOW_3 = /^(logged-models|traces|3\.0)\b/;
const PRIVATE_HOST = /^[0-9a-f-]{36}\.workspace\.[\w.-]+(:\d+)?$/;

/** The body of the answer. @throws AzureError for an answer that is no success. */
export async function handleRequest(request: ReceivedRequest, workspace: Workspace): Promise<unknown> {
  try {
    return await handle(request, workspace);
  } catch (error) {
    throw error instanceof MlflowRefusal ? inItsForm(error) : error;
  }
}

async function handle(request: ReceivedRequest, workspace: Workspace): Promise<unknown> {
  const { rules, callers } = workspace;
  checkHost(request, rules);
  const url = new URL(request.path, 'https://stand-in');
  const authorize = (reads: boolean) => authenticate(request.headers.authorization as string, reads, rules, callers);
  const artifacts = artifactCallOf(request.method, url, workspace);
  if (artifacts) {
    authorize(request.method === 'GET');
    return callArtifacts(artifacts, bodyOf(request), workspace);
  }
  const { version, api } = placeOf(url.pathname, workspace);
  const asked = { method: request.method, path: api.replace(/^2\.0\/mlflow\//, '') };
  const caller = authorize(isRead(asked));
  if (OF_MLFLOW_3.test(asked.path)) {
    if (rules.noMlflow3) throw emptyError(asked.path.startsWith('traces') ? 403 : 404);
    return passOn(request, url, api, workspace);
  }
  const body = bodyOf(request);
  if (!rules.int64FromText) refuseInt64AsText(body);
  const call: Call = { ...asked, version, query: url.searchParams, body, caller };
  return (await endpointFor(call)(call, workspace)) ?? {};
}

function checkHost({ headers }: ReceivedRequest, { privateHost }: Rules): void {
  if (!privateHost || PRIVATE_HOST.test(`${headers.host}`)) return;
  const text = 'Access to workspace was denied based on workspace private link configuration.';
  throw refusal(text, { status: 500, errorCode: 'INTERNAL_ERROR' });
}

interface Place {
  readonly version: Version;
  /** After `/api/`. */
  readonly api: string;
}

/** @throws AzureError when it is not in this workspace. */
function placeOf(pathname: string, { rules, scope }: Workspace): Place {
  const [, version, found, number, rest = ''] = PLACE.exec(decodeURIComponent(pathname)) ?? [];
  const isHere = (version === 'v1.0' || version === 'v2.0') && found === scope;
  if (found === undefined || (rules.scopeOnly && !isHere)) throw emptyError(404);
  return { version: version === 'v1.0' ? version : 'v2.0', api: `${number}/${rest}` };
}

/** To the MLflow behind as it is, with its own ids. */
function passOn({ method, body }: ReceivedRequest, url: URL, api: string, { mlflow }: Workspace): Promise<unknown> {
  return mlflow.ask(method, `../../${api}${url.search}`, method === 'GET' ? undefined : body);
}

/** @throws AzureError */
function bodyOf({ body }: ReceivedRequest): Record<string, unknown> {
  if (body === undefined) return {};
  if (typeof body !== 'object' || body === null || Array.isArray(body)) throw refusal('The request is invalid.');
  return body as Record<string, unknown>;
}

function refuseInt64AsText(body: unknown): void {
  JSON.stringify(body, (key, value) => {
    if (INT64_KEYS.has(key) && typeof value === 'string') throw refusal(`'${key}' is no number.`);
    return value;
  });
}

/** What MLflow refused, as the service would say it: with its ids, and bad requests in its form. */
function inItsForm({ status, errorCode, message }: MlflowRefusal): AzureError {
  const text = withRunGuids(message);
  if (status === 400) return refusal(text, { errorCode });
  if (status < 500) return plainError(status, errorCode, text);
  return refusal(text, { status, code: 'ServiceError', errorCode });
}
