import type { IncomingHttpHeaders } from 'node:http';
import { parsePythonBody, parsePythonJson } from '../../domain/parse-python-json.ts';
import type { PythonJson } from '../../domain/python-text.ts';
import { invalidParameter } from '../../errors/gateway-error.ts';
import { checkRequest } from './checks.ts';
import { camelCase, fillMessage, type Message } from './fill-message.ts';
import { MESSAGES, type MessageType, type RequestName } from './messages.ts';
import type { QueryArguments } from './query-arguments.ts';
import { CHECKS } from './request-checks.ts';
import { ServerFault } from './server-fault.ts';

/** A request to one of the endpoints, its query string read. */
export interface RawRequest {
  readonly method: string;
  readonly headers: IncomingHttpHeaders;
  readonly query: QueryArguments;
  readonly body: Buffer;
}

/**
 * Decodes a request as MLflow does: content type, JSON or query string, double spellings, types, and then what the
 * endpoint requires.
 * @throws GatewayError INVALID_PARAMETER_VALUE; ServerFault
 */
export function readRequest(name: RequestName, request: RawRequest): Message {
  const type = MESSAGES[name];
  const json =
    request.method === 'GET' && request.query.size > 0 ? fromQuery(request.query, type) : readJsonBody(request);
  refuseTwoSpellings(json, type);
  const message: Message = {};
  if (typeof json !== 'object' && typeof json !== 'string') throw new ServerFault('a body that is a number');
  const filled = fillMessage(json, type, message);
  checkRequest(json, CHECKS[name], filled);
  return message;
}

/**
 * The JSON of a body: `{}` for none and for what is no JSON; a text is read once more, for clients of old.
 * @throws GatewayError INVALID_PARAMETER_VALUE for a content type but JSON's; ServerFault for a text that is no JSON
 */
export function readJsonBody({ method, headers, body }: RawRequest): PythonJson {
  if (method === 'POST' || method === 'PUT') checkContentType(headers['content-type']);
  const json = parsePythonBody(body) ?? null;
  const inner = typeof json === 'string' ? parseAgain(json) : json;
  return inner === null ? {} : inner;
}

export function checkContentType(contentType: string | undefined): void {
  if (contentType === undefined) throw invalidParameter('Bad Request. Content-Type header is missing.');
  if (contentType.split(';')[0] === 'application/json') return;
  throw invalidParameter("Bad Request. Content-Type must be one of ['application/json'].");
}

function parseAgain(text: string): PythonJson {
  try {
    return parsePythonJson(text);
  } catch {
    throw new ServerFault('a text that holds no JSON');
  }
}

/** Query parameters go by the plain names only, and of a single value the first counts. */
function fromQuery(query: QueryArguments, type: MessageType): PythonJson {
  const sent = Object.entries(type).filter(([name]) => query.has(name));
  return Object.fromEntries(
    sent.map(([name, { repeated }]) => [name, repeated ? (query.get(name) ?? []) : (query.get(name)?.[0] ?? '')]),
  );
}

function refuseTwoSpellings(json: PythonJson, type: MessageType): void {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) return;
  const fields = json as Readonly<Record<string, PythonJson>>;
  for (const [name, field] of Object.entries(type)) {
    const camel = camelCase(name);
    if (name !== camel && Object.hasOwn(fields, name) && Object.hasOwn(fields, camel)) {
      throw invalidParameter(`Request specifies both '${name}' and '${camel}'; provide only one of them.`);
    }
    if (typeof field.type !== 'object' || !('message' in field.type)) continue;
    const value = Object.hasOwn(fields, name) ? fields[name] : fields[camel];
    for (const item of [value ?? null].flat() as PythonJson[]) refuseTwoSpellings(item, field.type.message);
  }
}
