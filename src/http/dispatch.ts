import type { IncomingMessage } from 'node:http';
import { invalidParameter } from '../errors/gateway-error.ts';
import type { Admit } from './admission.ts';
import type { Endpoint } from './endpoints.ts';
import type { PrepareForwarding } from './forwarding.ts';
import { refuseHost } from './host-check.ts';
import type { LegacyHandler } from './legacy/handler.ts';
import type { createFindLegacy } from './legacy/legacy-requests.ts';
import type { MarkedResponse } from './marks.ts';
import type { NativeHandler } from './native.ts';
import { EXEMPT_FROM_HOST_CHECK, type OwnRoutes } from './own-routes.ts';
import type { PassThrough } from './pass-through.ts';
import { API_PREFIXES, pathOf, withoutPreview } from './paths.ts';
import { writeKind } from './write-table.ts';
import type { createWriteHandler } from './writes.ts';

export interface DispatchDeps {
  readonly isAllowedHost: (host: string | undefined) => boolean;
  readonly admit: Admit;
  readonly ownRoute: OwnRoutes;
  readonly prepareForwarding: PrepareForwarding;
  /** Whether a path keeps to what the backend's URL stands for. */
  readonly staysBelow: (path: string) => boolean;
  /** Resolves when other requests may be answered; undefined from then on. */
  opening(): Promise<unknown> | undefined;
  readonly endpoints: readonly Endpoint[];
  readonly answerNatively: NativeHandler['answer'];
  readonly findLegacy: ReturnType<typeof createFindLegacy>;
  readonly answerLegacy: LegacyHandler;
  readonly write: ReturnType<typeof createWriteHandler>;
  readonly passThrough: PassThrough;
}

/** Where a request goes. */
export function createDispatch({
  isAllowedHost,
  admit,
  ownRoute,
  prepareForwarding,
  staysBelow,
  opening,
  endpoints,
  answerNatively,
  findLegacy,
  answerLegacy,
  write,
  passThrough,
}: DispatchDeps) {
  const natives = tableOf(endpoints);

  function answer(req: IncomingMessage, res: MarkedResponse): Promise<void> | void {
    const target = req.url ?? '/';
    prepareForwarding(req);
    req.url = withoutPreview(target);
    const path = pathOf(req.url);
    // In the words of MLflow for an artifact's path.
    if (!staysBelow(path)) throw invalidParameter('Invalid path');
    const old = findLegacy(req.method, path, req.url !== target);
    return old ? answerLegacy(old, req, res, answerToday) : answerToday(req, res);
  }

  function answerToday(req: IncomingMessage, res: MarkedResponse): Promise<void> | void {
    const path = pathOf(req.url ?? '/');
    const endpoint = natives.get(`${req.method} ${path}`);
    if (endpoint) return answerNatively(endpoint, req, res);
    const kind = writeKind(req.method ?? 'GET', path);
    res.locals.route = kind ? 'write' : 'pass-through';
    return kind ? write(kind, req, res) : passThrough.stream(req, res);
  }

  function goOn(req: IncomingMessage, res: MarkedResponse, rawPath: string): Promise<void> | void {
    const own = ownRoute(req, rawPath);
    if (own) {
      res.locals.route = 'gateway';
      return own(res);
    }
    const opened = opening();
    return opened === undefined ? answer(req, res) : opened.then(() => answer(req, res));
  }

  return (req: IncomingMessage, res: MarkedResponse): Promise<void> | void => {
    const rawPath = pathOf(req.url ?? '/');
    if (!isAllowedHost(req.headers.host) && !EXEMPT_FROM_HOST_CHECK.has(rawPath)) return refuseHost(res);
    const admitted = admit(req);
    return admitted instanceof Promise ? admitted.then(() => goOn(req, res, rawPath)) : goOn(req, res, rawPath);
  };
}

function tableOf(endpoints: readonly Endpoint[]): ReadonlyMap<string, Endpoint> {
  const rows = endpoints.flatMap((endpoint) =>
    endpoint.methods.flatMap((method) =>
      API_PREFIXES.map((prefix): [string, Endpoint] => [`${method} ${prefix}${endpoint.name}`, endpoint]),
    ),
  );
  return new Map(rows);
}
