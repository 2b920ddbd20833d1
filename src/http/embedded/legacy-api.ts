import { type Ask, type Call, type Fields, Refused } from '../legacy/call.ts';
import type { LegacyRequest } from '../legacy/legacy-requests.ts';
import { fieldsOfBody, fieldsOfQuery } from '../legacy/read-fields.ts';
import { pathOf, queryOf } from '../paths.ts';
import type { EmbeddedAnswer, EmbeddedRequest } from './exchange.ts';
import type { EmbeddedApi } from './handler.ts';

/** Answers an old request by requests of today's API. @throws GatewayError */
export async function answerLegacy(
  { translate, base }: LegacyRequest,
  request: EmbeddedRequest,
  api: EmbeddedApi,
): Promise<EmbeddedAnswer | undefined> {
  const fields = fieldsOf(request);
  const legacy = fields && translate(fields, base);
  if (!legacy) return api(request);
  if ('become' in legacy) return api(todaysRequest(request, legacy.become));
  const ask: Ask = async (call) => {
    const answer = await api(todaysRequest(request, call));
    if (answer?.status !== 200) throw new Refused(answer);
    return answer.body.toString('utf8');
  };
  try {
    return { status: 200, contentType: 'application/json', body: Buffer.from(await legacy.compose(ask)) };
  } catch (error) {
    if (error instanceof Refused) return error.answer as EmbeddedAnswer | undefined;
    throw error;
  }
}

function fieldsOf({ method, query, body }: EmbeddedRequest): Fields | undefined {
  if (method === 'GET' && query !== '') return fieldsOfQuery(query);
  return body.length === 0 ? {} : fieldsOfBody(body);
}

const todaysRequest = (request: EmbeddedRequest, { method, target, body = '' }: Call): EmbeddedRequest => ({
  ...request,
  method,
  path: pathOf(target),
  query: queryOf(target),
  headers: method === request.method ? request.headers : { ...request.headers, 'content-type': 'application/json' },
  body: Buffer.from(body),
});
