import type { IncomingMessage } from 'node:http';
import type { CacheDemand, CachedAnswer, CachedRead } from '../cache/cached-read.ts';
import { GatewayError } from '../errors/gateway-error.ts';
import { backendCallerOf } from '../permissions/backend-caller-of.ts';
import type { ScopedRead } from '../permissions/scoped-read.ts';
import { BackendAnswer } from '../plan/backend-answer.ts';
import type { BackendCaller } from '../plan/backend-caller.ts';
import type { Consistency, PlannedRead } from '../plan/read.ts';
import { BudgetExceeded } from '../plan/scan-budget.ts';
import type { Forwarder, UpstreamResponse } from '../upstream/upstream-client.ts';
import { askAs } from './ask-as.ts';
import { announcedLength, readBody } from './body.ts';
import type { BodyMemory } from './body-memory.ts';
import { cacheDemandOf } from './cache-demand.ts';
import type { createCompress } from './compress.ts';
import type { Declined, Endpoint } from './endpoints.ts';
import { hangUpSignal } from './hang-up-signal.ts';
import type { MarkedResponse } from './marks.ts';
import type { createNativeHeaders } from './native-headers.ts';
import type { PassThrough } from './pass-through.ts';
import { queryOf } from './paths.ts';
import { originalOf, relayStream } from './relay.ts';
import { rememberPlans, type Wording, wordingOfBody, wordingOfQuery } from './remember-plans.ts';
import { sendUnlessKnown } from './send-unless-known.ts';

/** To whom answers that are kept may be given: to anyone, to those who may read them by the backend's word, to nobody. */
export type Sharing = 'everyone' | 'named' | 'nobody';

/**
 * Why a request to a native endpoint was answered by the backend from its original bytes: the backend is not known to
 * answer anyone, the caller has a name, the origin is for the backend to judge, the body cannot be read plainly or there is
 * no room for it, a field is not of the known form, the search is not understood, the caller may not read all of it as far as
 * is known, the backend refused the canonical question, we failed.
 */
export type HandOnKind = Declined['kind'] | 'closed' | 'caller' | 'origin' | 'body';

export interface NativeDeps {
  readonly upstream: Forwarder;
  readonly passThrough: PassThrough;
  readonly headersFor: ReturnType<typeof createNativeHeaders>;
  readonly compress: ReturnType<typeof createCompress>;
  readonly cachedRead: CachedRead;
  readonly scopedRead: ScopedRead;
  /** Whether the backend is known to answer anyone, so that its answers may be shared; or each caller by known rules. */
  readonly sharing: () => Sharing;
  /** What is said of answers that caches on the way may keep, if they ask each time. */
  readonly cacheControl: string;
  readonly memory: BodyMemory;
  onHandOn(kind: HandOnKind, endpoint: Endpoint, declined?: Declined): void;
  /** Told of a failure of ours that the backend made good. */
  onFailure(error: unknown, endpoint: Endpoint): void;
}

/** Longer requests are streamed to the backend unread, in bytes. */
const MAX_BODY = 1_048_576;

/** Answers requests that are plainly understood from cache, index or a canonical question; the backend answers the rest. */
export function createNativeHandler(deps: NativeDeps) {
  const { upstream, passThrough, headersFor, compress, cachedRead, cacheControl, memory, onHandOn } = deps;
  const plan = rememberPlans();

  /** `body` is what was read of the request; without one it is streamed. */
  async function handOn(req: IncomingMessage, res: MarkedResponse, signal: AbortSignal, body?: Buffer): Promise<void> {
    mark(res);
    if (!body) return passThrough.stream(req, res);
    await relayStream(await upstream.open(originalOf(req, body, signal)), res);
  }

  function obstacleOf(
    req: IncomingMessage,
    res: MarkedResponse,
    caller: BackendCaller | undefined,
  ): HandOnKind | undefined {
    if (deps.sharing() === 'nobody') return 'closed';
    if (isInWorkspace(req) || (deps.sharing() === 'named' ? !caller : isSomeone(req))) return 'caller';
    if (!headersFor(req.headers.origin)) return 'origin';
    return isReadable(req) && memory.hold(announcedLength(req) ?? 0, res) ? undefined : 'body';
  }

  /** What a caller of the backend's own may read of it; undefined when the backend has to say that. */
  function readFor(
    caller: BackendCaller,
    planned: PlannedRead,
    { endpoint, wording, demand, req, body, signal }: Understood,
  ): Promise<CachedAnswer | undefined> {
    return deps.scopedRead(planned, {
      caller,
      demand,
      signal,
      among(experimentIds) {
        const some = { ...(wording.read() as object), experiment_ids: experimentIds };
        const replanned = endpoint.plan(some, demand.consistency);
        return 'kind' in replanned ? undefined : replanned;
      },
      ask: askAs(caller, deps.upstream, req, body),
    });
  }

  /** What we can answer by ourselves, else why not. */
  async function answerOf(
    endpoint: Endpoint,
    asked: Asked,
    caller: BackendCaller | undefined,
  ): Promise<CachedAnswer | Declined> {
    const { req, body, signal } = asked;
    try {
      const wording = body ? wordingOfBody(body) : wordingOfQuery(queryOf(req.url ?? ''));
      const consistency = consistencyOf(req);
      const planned = plan(endpoint, wording, consistency);
      if ('kind' in planned) return planned;
      const demand = { ...cacheDemandOf(req.headers['cache-control']), consistency };
      if (caller) return (await readFor(caller, planned, { ...asked, endpoint, wording, demand })) ?? UNTOLD;
      const answer = await cachedRead(planned, signal, demand);
      return answer.status === 200 ? answer : REFUSED;
    } catch (error) {
      if (signal.aborted || isHopeless(error)) throw error;
      if (error instanceof BackendAnswer) return REFUSED;
      deps.onFailure(error, endpoint);
      return FAILED;
    }
  }

  async function attempt(
    endpoint: Endpoint,
    req: IncomingMessage,
    res: MarkedResponse,
    signal: AbortSignal,
  ): Promise<Attempt> {
    const caller = deps.sharing() === 'named' ? backendCallerOf(req.headers) : undefined;
    const obstacle = obstacleOf(req, res, caller);
    if (obstacle) {
      onHandOn(obstacle, endpoint);
      return { caller };
    }
    const body = req.method === 'POST' ? await readBody(req) : undefined;
    const ours = await answerOf(endpoint, { req, body, signal }, caller);
    if ('status' in ours) return { caller, ours };
    onHandOn(ours.kind, endpoint, ours);
    return { caller, body };
  }

  async function answer(endpoint: Endpoint, req: IncomingMessage, res: MarkedResponse): Promise<void> {
    const signal = hangUpSignal(res);
    const { caller, ours, body: read } = await attempt(endpoint, req, res, signal);
    if (!ours) return handOn(req, res, signal, read);
    const { body, encoding } = await compress(ours.body, req);
    const headers = { ...headersFor(req.headers.origin), ...headersOf(ours), ...encoding };
    res.locals.source = headers['x-gateway-source'];
    res.locals.cache = ours.cache;
    return sendUnlessKnown({ headers, body, cacheControl: caller ? PRIVATE : cacheControl }, req, res);
  }

  return {
    async answer(endpoint: Endpoint, req: IncomingMessage, res: MarkedResponse): Promise<void> {
      res.locals.route = endpoint.name;
      try {
        await answer(endpoint, req, res);
      } catch (error) {
        mark(res);
        throw error;
      }
    },

    /** The same answer as a whole, be it ours or the backend's, for who makes another of it. @throws GatewayError */
    async ask(
      endpoint: Endpoint,
      req: IncomingMessage,
      res: MarkedResponse,
      signal: AbortSignal,
    ): Promise<UpstreamResponse> {
      const { ours, body: read } = await attempt(endpoint, req, res, signal);
      if (ours) return { status: ours.status, headers: headersOf(ours), body: ours.body };
      const body = read ?? (req.method === 'POST' ? await readBody(req) : Buffer.alloc(0));
      return upstream.request(originalOf(req, body, signal));
    },
  };
}

export type NativeHandler = ReturnType<typeof createNativeHandler>;

/** What we made of a request: our own answer, or what was read of its body for the backend. */
interface Attempt {
  readonly caller: BackendCaller | undefined;
  readonly ours?: CachedAnswer;
  readonly body?: Buffer | undefined;
}

/** Says on an answer that is not ours whose it is. */
function mark(res: MarkedResponse): void {
  res.locals.source = 'backend';
  res.locals.cache = 'BYPASS';
  if (res.headersSent) return;
  res.setHeader('x-gateway-source', 'backend');
  res.setHeader('x-cache', 'BYPASS');
}

/** A request that was read. */
interface Asked {
  readonly req: IncomingMessage;
  readonly body: Buffer | undefined;
  readonly signal: AbortSignal;
}

interface Understood extends Asked {
  readonly endpoint: Endpoint;
  readonly wording: Wording;
  readonly demand: CacheDemand;
}

/** One caller's own, though a cache on the way that asks each time would not be wrong. */
export const PRIVATE = 'private, no-cache';

/** What the backend says to the original question is the answer then. */
const REFUSED = { kind: 'refused' } as const;
const UNTOLD = { kind: 'permission' } as const;
const FAILED = { kind: 'failed' } as const;

/** Asking the backend again would only double the wait, or give less than was asked for. */
function isHopeless(error: unknown): boolean {
  if (error instanceof BudgetExceeded) return true;
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
const isSomeone = ({ headers }: IncomingMessage): boolean => headers.authorization !== undefined;

function isInWorkspace({ headers }: IncomingMessage): boolean {
  const workspace = headers['x-mlflow-workspace'];
  return workspace !== undefined && String(workspace).trim() !== '';
}

/** A POST as MLflow reads it: this media type exactly, parameters cut off, no encoding, a length. A GET has no body. */
function isReadable(req: IncomingMessage): boolean {
  const length = announcedLength(req);
  if (req.method === 'GET') return length === 0;
  const { 'content-type': type, 'content-encoding': encoding } = req.headers;
  const isJson = type?.split(';', 1)[0] === 'application/json' && encoding === undefined;
  return isJson && length !== undefined && length <= MAX_BODY;
}
