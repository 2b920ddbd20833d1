import type { IncomingMessage, ServerResponse } from 'node:http';
import { nestsDeeperThan } from '../domain/json-depth.ts';
import { GatewayError } from '../errors/gateway-error.ts';
import type { Admit } from '../http/admission.ts';
import { announcedLength } from '../http/body.ts';
import type { BodyMemory } from '../http/body-memory.ts';
import { refuseHost } from '../http/host-check.ts';
import { EXEMPT_FROM_HOST_CHECK } from '../http/own-routes.ts';
import { pathOf, queryOf, withoutPreview } from '../http/paths.ts';
import { peekBody } from '../http/peek-body.ts';
import { type Backends, DEFAULT_BACKEND } from './backends.ts';
import type { Forward } from './forward.ts';
import { SAME } from './id-mapping.ts';
import { endpointAt } from './id-table.ts';
import { type Incoming, onlyOwner, ownersOf, translateRequest } from './incoming.ts';
import { type Lanes, laneOf } from './lane.ts';
import type { OwnPages } from './own-pages.ts';

export interface RouterDeps {
  readonly backends: Backends;
  readonly lanes: Lanes;
  /** The backend that keeps registered models. */
  readonly registry: string;
  readonly isAllowedHost: (host: string | undefined) => boolean;
  readonly admit: Admit;
  readonly memory: BodyMemory;
  readonly forward: Forward;
  readonly ownPages: OwnPages;
  /** Answers what is about all backends; undefined for what is for one of them. */
  answerForAll(incoming: Incoming, req: IncomingMessage): AnswerForAll | undefined;
}

export type AnswerForAll = (res: ServerResponse) => Promise<void>;

/** Longer bodies are not looked into, in bytes: they are for the default backend. MLflow's own clients stay below 1 MB. */
const MAX_BODY = 33_554_432;
const MAX_DEPTH = 100;

/**
 * Hands each request to the lane of the backend that has what it names. What names nothing of another backend goes to the default
 * one as it is, in this process, and is not looked at any further.
 */
export function createRouter(deps: RouterDeps) {
  const { backends, lanes, registry, forward } = deps;
  const byDefault = laneOf(lanes, DEFAULT_BACKEND);

  function route(req: IncomingMessage, res: ServerResponse): Promise<void> | void {
    const own = deps.ownPages(req);
    if (own) return own(res);
    const target = withoutPreview(req.url ?? '/');
    const path = pathOf(target);
    const ids = endpointAt(path);
    if (!ids) return byDefault.handle(req, res);
    const incoming: Incoming = {
      ids,
      path,
      query: queryOf(target),
      headers: req.headers,
      body: undefined,
      bytes: NO_BODY,
    };
    if (ids.as === 'registry' && registry === DEFAULT_BACKEND) return byDefault.handle(req, res);
    const length = lengthToRead(req);
    if (ids.as === 'stream' || length === undefined) return pass(incoming, req, res);
    return withBody(incoming, length, req, res);
  }

  async function withBody(
    incoming: Incoming,
    length: number,
    req: IncomingMessage,
    res: ServerResponse,
  ): Promise<void> {
    if (!deps.memory.hold(length, res)) throw new GatewayError('REQUEST_LIMIT_EXCEEDED', NO_MEMORY);
    const bytes = await peekBody(req, length);
    return pass({ ...incoming, body: textOf(bytes), bytes }, req, res);
  }

  function pass(incoming: Incoming, req: IncomingMessage, res: ServerResponse): Promise<void> | void {
    const answer = deps.answerForAll(incoming, req);
    if (answer) return answer(res);
    if (incoming.ids.as !== 'registry' && !isNamed(incoming)) return byDefault.handle(req, res);
    const readable = withoutTatters(incoming);
    const owner = incoming.ids.as === 'registry' ? registry : onlyOwner(ownersOf(readable, backends));
    const lane = laneOf(lanes, owner);
    const translated = translateRequest(readable, lane.translation.inward);
    const isSame = translated.query === incoming.query && translated.body === incoming.body;
    if (lane === byDefault && isSame) return byDefault.handle(req, res);
    return forward(lane, readable, translated, req, res);
  }

  /** Whether something of another backend may be named, which few requests do. */
  function isNamed({ path, query, headers, ids, body = '' }: Incoming): boolean {
    const named = (ids.headers ?? []).map((name) => String(headers[name] ?? ''));
    return [path, query, body, ...named].some((text) => text !== '' && backends.isNamedIn(text));
  }

  return (req: IncomingMessage, res: ServerResponse): Promise<void> | void => {
    const path = pathOf(req.url ?? '/');
    if (!deps.isAllowedHost(req.headers.host) && !EXEMPT_FROM_HOST_CHECK.has(path)) return refuseHost(res);
    const admitted = deps.admit(req);
    return admitted instanceof Promise ? admitted.then(() => route(req, res)) : route(req, res);
  };
}

const NO_BODY = Buffer.alloc(0);
const NO_MEMORY = 'Too many requests with long bodies at once.';

/** Of a body that can be read for its ids; undefined for none. */
function lengthToRead(req: IncomingMessage): number | undefined {
  const length = announcedLength(req);
  const isPlain = req.headers['content-encoding'] === undefined;
  return length !== undefined && length > 0 && length <= MAX_BODY && isPlain ? length : undefined;
}

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function textOf(bytes: Buffer): string | undefined {
  try {
    const text = UTF8.decode(bytes);
    return nestsDeeperThan(MAX_DEPTH, bytes) ? undefined : text;
  } catch {
    return undefined;
  }
}

/** A body that is no JSON names nothing: MLflow reads it as an empty one. */
function withoutTatters(incoming: Incoming): Incoming {
  try {
    translateRequest(incoming, SAME);
    return incoming;
  } catch (error) {
    if (error instanceof SyntaxError) return { ...incoming, body: undefined };
    throw error;
  }
}
