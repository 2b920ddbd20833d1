import type { IncomingMessage, ServerResponse } from 'node:http';
import type { CachedAnswer, CachedRead } from '../cache/cached-read.ts';
import { GatewayError } from '../errors/gateway-error.ts';
import { BackendAnswer } from '../plan/backend-answer.ts';
import type { Consistency } from '../plan/read.ts';
import type { UpstreamClient } from '../upstream/upstream-client.ts';
import { announcedLength, readBody } from './body.ts';
import { cacheDemandOf } from './cache-demand.ts';
import type { createCompress } from './compress.ts';
import type { Declined, Endpoint } from './endpoints.ts';
import type { MarkedResponse } from './marks.ts';
import type { createNativeHeaders } from './native-headers.ts';
import type { PassThrough } from './pass-through.ts';
import { queryOf } from './paths.ts';
import { originalOf, relayStream } from './relay.ts';
import { rememberPlans, type Wording, wordingOfBody, wordingOfQuery } from './remember-plans.ts';
import { sendUnlessKnown } from './send-unless-known.ts';

/**
 * Why a request to a native endpoint was answered by the backend from its original bytes: the backend is not known to
 * answer anyone, the caller has a name, the origin is for the backend to judge, the body cannot be read plainly, a field
 * is not of the known form, the search is not understood, the backend refused the canonical question, we failed.
 */
export type HandOnKind = Declined['kind'] | 'closed' | 'caller' | 'origin' | 'body';

export interface NativeDeps {
  readonly upstream: UpstreamClient;
  readonly passThrough: PassThrough;
  readonly headersFor: ReturnType<typeof createNativeHeaders>;
  readonly compress: ReturnType<typeof createCompress>;
  readonly cachedRead: CachedRead;
  /** Whether the backend is known to answer anyone, so that its answers may be shared. */
  accelerate(): boolean;
  onHandOn(kind: HandOnKind, endpoint: Endpoint, declined?: Declined): void;
  /** Told of a failure of ours that the backend made good. */
  onFailure(error: unknown, endpoint: Endpoint): void;
}

/** Longer requests are streamed to the backend unread, in bytes. */
const MAX_BODY = 1_048_576;

/** Answers requests that are plainly understood from cache, index or a canonical question; the backend answers the rest. */
export function createNativeHandler(deps: NativeDeps) {
  const { upstream, passThrough, headersFor, compress, cachedRead, onHandOn } = deps;
  const plan = rememberPlans();

  /** `body` is what was read of the request; without one it is streamed. */
  async function handOn(req: IncomingMessage, res: MarkedResponse, body?: Buffer): Promise<void> {
    mark(res);
    if (!body) return passThrough.stream(req, res);
    await relayStream(await upstream.open(originalOf(req, body, signalOf(res))), res);
  }

  function obstacleOf(req: IncomingMessage): HandOnKind | undefined {
    if (!deps.accelerate()) return 'closed';
    if (isSomeone(req)) return 'caller';
    if (!headersFor(req.headers.origin)) return 'origin';
    return isReadable(req) ? undefined : 'body';
  }

  /** What we can answer by ourselves, else why not. */
  async function answerOf(
    endpoint: Endpoint,
    wording: Wording,
    { req, signal }: { readonly req: IncomingMessage; readonly signal: AbortSignal },
  ): Promise<CachedAnswer | Declined> {
    try {
      const consistency = consistencyOf(req);
      const planned = plan(endpoint, wording, consistency);
      if ('kind' in planned) return planned;
      const answer = await cachedRead(planned, signal, { ...cacheDemandOf(req.headers['cache-control']), consistency });
      return answer.status === 200 ? answer : REFUSED;
    } catch (error) {
      if (signal.aborted || isHopeless(error)) throw error;
      if (error instanceof BackendAnswer) return REFUSED;
      deps.onFailure(error, endpoint);
      return FAILED;
    }
  }

  async function answer(endpoint: Endpoint, req: IncomingMessage, res: MarkedResponse): Promise<void> {
    const obstacle = obstacleOf(req);
    if (obstacle) {
      onHandOn(obstacle, endpoint);
      return handOn(req, res);
    }
    const body = req.method === 'POST' ? await readBody(req) : undefined;
    const wording = body ? wordingOfBody(body) : wordingOfQuery(queryOf(req.url ?? ''));
    const ours = await answerOf(endpoint, wording, { req, signal: signalOf(res) });
    if ('status' in ours) {
      const { body: bytes, encoding } = await compress(ours.body, req);
      const headers = { ...headersFor(req.headers.origin), ...headersOf(ours), ...encoding };
      res.locals.source = headers['x-gateway-source'];
      res.locals.cache = ours.cache;
      return sendUnlessKnown(headers, bytes, req, res);
    }
    onHandOn(ours.kind, endpoint, ours);
    return handOn(req, res, body);
  }

  return async (endpoint: Endpoint, req: IncomingMessage, res: MarkedResponse): Promise<void> => {
    res.locals.route = endpoint.name;
    try {
      await answer(endpoint, req, res);
    } catch (error) {
      mark(res);
      throw error;
    }
  };
}

/** Says on an answer that is not ours whose it is. */
function mark(res: MarkedResponse): void {
  res.locals.source = 'backend';
  res.locals.cache = 'BYPASS';
  if (res.headersSent) return;
  res.setHeader('x-gateway-source', 'backend');
  res.setHeader('x-cache', 'BYPASS');
}

/** What the backend says to the original question is the answer then. */
const REFUSED = { kind: 'refused' } as const;
const FAILED = { kind: 'failed' } as const;

/** Asking the backend again would only double the wait. */
function isHopeless(error: unknown): boolean {
  return error instanceof GatewayError && ['TEMPORARILY_UNAVAILABLE', 'DEADLINE_EXCEEDED'].includes(error.code);
}

function headersOf({ cache, source, contentType, lagMs, ageMs }: CachedAnswer) {
  const isStored = cache === 'HIT' || cache === 'STALE';
  return {
    'content-type': contentType,
    'x-gateway-source': isStored ? 'cache' : source,
    'x-cache': cache,
    ...(ageMs !== undefined && { age: `${Math.floor(ageMs / 1_000)}` }),
    ...(cache === 'STALE' && { warning: '110 - "Response is Stale"' }),
    ...(lagMs !== undefined && { 'x-index-lag-ms': `${lagMs}` }),
  };
}

/** What the caller puts up with; as configured when it says nothing, or something else. */
function consistencyOf({ headers }: IncomingMessage): Consistency | undefined {
  const asked = headers['x-gateway-consistency'];
  return asked === 'strict' || asked === 'eventual' ? asked : undefined;
}

/** Callers with a name get what the backend gives to them, not what it gives to anyone. */
function isSomeone({ headers }: IncomingMessage): boolean {
  const workspace = headers['x-mlflow-workspace'];
  return headers.authorization !== undefined || (workspace !== undefined && String(workspace).trim() !== '');
}

/** A POST as MLflow reads it: this media type exactly, parameters cut off, no encoding, a length. A GET has no body. */
function isReadable(req: IncomingMessage): boolean {
  const length = announcedLength(req);
  if (req.method === 'GET') return length === 0;
  const { 'content-type': type, 'content-encoding': encoding } = req.headers;
  const isJson = type?.split(';', 1)[0] === 'application/json' && encoding === undefined;
  return isJson && length !== undefined && length <= MAX_BODY;
}

/** Aborts when the caller hangs up before the answer is out. */
function signalOf(res: ServerResponse): AbortSignal {
  const controller = new AbortController();
  res.on('close', () => {
    if (!res.writableFinished) controller.abort();
  });
  return controller.signal;
}
