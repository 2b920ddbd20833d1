import type { IncomingMessage } from 'node:http';
import { GatewayError } from '../../errors/gateway-error.ts';
import { RequestRefused } from '../../errors/request-refused.ts';
import type { UpstreamResponse } from '../../upstream/upstream-client.ts';
import { announcedLength, readBody } from '../body.ts';
import type { BodyMemory } from '../body-memory.ts';
import type { createCompress } from '../compress.ts';
import type { Endpoint } from '../endpoints.ts';
import { hangUpSignal } from '../hang-up-signal.ts';
import type { MarkedResponse } from '../marks.ts';
import type { NativeHandler } from '../native.ts';
import type { createNativeHeaders } from '../native-headers.ts';
import { pathOf, queryOf } from '../paths.ts';
import { relay } from '../relay.ts';
import { type Ask, type Call, type Fields, Refused } from './call.ts';
import type { LegacyRequest } from './legacy-requests.ts';
import { fieldsOfBody, fieldsOfQuery } from './read-fields.ts';
import { requestAgain, requestAsRead, requestForPart } from './request-again.ts';

export interface LegacyDeps {
  readonly endpoints: readonly Endpoint[];
  readonly ask: NativeHandler['ask'];
  readonly headersFor: ReturnType<typeof createNativeHeaders>;
  readonly compress: ReturnType<typeof createCompress>;
  readonly memory: BodyMemory;
}

/** Answers a request of today's API. */
export type GoOn = (req: IncomingMessage, res: MarkedResponse) => Promise<void> | void;
export type LegacyHandler = ReturnType<typeof createLegacyHandler>;

/** Longer bodies are not looked into, in bytes. */
const MAX_BODY = 33_554_432;

/** MLflow hangs up on a longer head, in bytes; headers are a part of it. */
const MAX_TARGET = 32_768;

interface Read {
  /** Undefined for what MLflow reads otherwise, or not at all. */
  readonly fields: Fields | undefined;
  readonly body?: Buffer;
}

/** Answers old requests: as today's, which go their usual way, or from the answers to several. */
export function createLegacyHandler({ endpoints, ask, headersFor, compress, memory }: LegacyDeps) {
  const natives = new Map(endpoints.map((endpoint) => [endpoint.name, endpoint]));

  /** Undefined when the body cannot be had, and need not: MLflow takes it as it is. */
  async function read(name: string, req: IncomingMessage, res: MarkedResponse): Promise<Read | undefined> {
    const query = queryOf(req.url ?? '');
    if (req.method === 'GET' && query !== '') return { fields: fieldsOfQuery(query) };
    const length = announcedLength(req);
    if (length === 0) return { fields: {} };
    // MLflow takes these for empty.
    if (length === undefined || req.headers['content-encoding'] !== undefined) return undefined;
    const isHeld = length <= MAX_BODY && memory.hold(length, res);
    if (!isHeld) return giveUp(name, length);
    const body = await readBody(req);
    return { fields: fieldsOfBody(body), body };
  }

  async function compose(
    { name, base }: LegacyRequest,
    answerOf: (ask: Ask) => Promise<string>,
    req: IncomingMessage,
    res: MarkedResponse,
  ): Promise<void> {
    const signal = hangUpSignal(res);
    const sources = new Set<string>();
    const askOne: Ask = async (call) => {
      if (call.target.length > MAX_TARGET) throw new RequestRefused(414, 'The id in this request is too long.');
      const part = await ask(endpointOf(call, base), requestForPart(req, call), res, signal);
      sources.add(sourceOf(part));
      if (part.status !== 200) throw new Refused(part);
      return part.body.toString('utf8');
    };
    res.locals.route = name;
    // Of each part it is waited for the end of the answer.
    res.setMaxListeners(0);
    try {
      await send(Buffer.from(await answerOf(askOne)), sources, req, res);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      relay((error as Refused<UpstreamResponse>).answer, mark(res, 'backend'));
    }
  }

  function endpointOf({ target }: Call, base: string): Endpoint {
    const endpoint = natives.get(pathOf(target).slice(base.length));
    if (!endpoint) throw new GatewayError('INTERNAL_ERROR', `Nothing answers ${target}.`);
    return endpoint;
  }

  async function send(whole: Buffer, sources: ReadonlySet<string>, req: IncomingMessage, res: MarkedResponse) {
    const { body, encoding } = await compress(whole, req);
    const source = ['backend', 'index'].find((name) => sources.has(name)) ?? 'cache';
    mark(res, source)
      .writeHead(200, {
        ...(headersFor(req.headers.origin) ?? headersFor(undefined)),
        'content-type': 'application/json',
        // One caller's own, and made anew each time.
        'cache-control': 'private, no-cache',
        ...encoding,
        'content-length': body.length,
      })
      .end(body);
  }

  return async (old: LegacyRequest, req: IncomingMessage, res: MarkedResponse, goOn: GoOn): Promise<void> => {
    const given = await read(old.name, req, res);
    if (!given) return goOn(req, res);
    const legacy = given.fields && old.translate(given.fields, old.base);
    if (legacy && 'compose' in legacy) return compose(old, legacy.compose, req, res);
    return goOn(todaysRequest(req, given, legacy?.become), res);
  };
}

function todaysRequest(req: IncomingMessage, { body }: Read, call: Call | undefined): IncomingMessage {
  if (body) return call ? requestAgain(req, call) : requestAsRead(req, body);
  if (call?.method === 'POST') return requestAgain(req, call);
  // As it is, so that it streams.
  if (call) req.url = call.target;
  return req;
}

/** A search of which MLflow would not see the expressions, would find too much. */
function giveUp(name: string, length: number): undefined {
  if (name !== 'runs/search') return undefined;
  if (length > MAX_BODY) throw new RequestRefused(413, `The body of the request is longer than ${MAX_BODY} bytes.`);
  throw new GatewayError('TEMPORARILY_UNAVAILABLE', 'There is no room for the body of this request; try again.');
}

const sourceOf = ({ headers }: UpstreamResponse): string => String(headers['x-gateway-source'] ?? 'backend');

function mark(res: MarkedResponse, source: string): MarkedResponse {
  res.locals.source = source;
  res.setHeader('x-gateway-source', source);
  return res;
}
