import express, { type Express } from 'express';
import type { Admit } from './http/admission.ts';
import { BodyMemory } from './http/body-memory.ts';
import { createCompress } from './http/compress.ts';
import { createDispatch } from './http/dispatch.ts';
import type { Endpoint } from './http/endpoints.ts';
import { createErrorHandler } from './http/error-handler.ts';
import { createLocationRewrite, createPrepareForwarding } from './http/forwarding.ts';
import { createHostCheck } from './http/host-check.ts';
import { createLegacyHandler } from './http/legacy/handler.ts';
import { createFindLegacy } from './http/legacy/legacy-requests.ts';
import type { ListenRules } from './http/listen-rules.ts';
import type { MarkedResponse } from './http/marks.ts';
import { createNativeHandler, type NativeDeps } from './http/native.ts';
import { createNativeHeaders } from './http/native-headers.ts';
import { observe } from './http/observe.ts';
import { createOwnRoutes } from './http/own-routes.ts';
import type { PassThrough } from './http/pass-through.ts';
import { createStaysBelow } from './http/resolve-path.ts';
import { createTrustedProxies } from './http/trusted-proxies.ts';
import { UnparsedSearches } from './http/unparsed-searches.ts';
import { createWriteHandler, type WriteDeps } from './http/writes.ts';
import type { Logger } from './telemetry/logger.ts';
import type { Metrics } from './telemetry/metrics.ts';
import type { Forwarder } from './upstream/upstream-client.ts';

export interface AppDeps
  extends Pick<WriteDeps, 'expect' | 'settle'>,
    Pick<NativeDeps, 'cachedRead' | 'scopedRead' | 'sharing'> {
  readonly listen: ListenRules;
  readonly admit: Admit;
  readonly upstream: Forwarder;
  readonly passThrough: PassThrough;
  readonly endpoints: readonly Endpoint[];
  /** Whether what one caller asked for may be shown to another. */
  sharesSearches(): boolean;
  /** Resolves when requests of clients may be answered; undefined from then on. */
  opening(): Promise<unknown> | undefined;
  /** What is said of answers that caches on the way may keep, if they ask each time. */
  readonly cacheControl: string;
  isReady(): Promise<boolean>;
  /** What `/gateway/status` shows, besides the searches that were not understood. */
  status(): Promise<object>;
  readonly metrics: Metrics;
  readonly logger: Logger;
}

/** The gateway as an Express app. Opens nothing: no port, no connection. */
export function createApp(deps: AppDeps): Express {
  const app = express().disable('x-powered-by').disable('etag').disable('query parser');
  const dispatch = dispatchOf(deps);
  app.use((req, res) => {
    observe(res, deps.metrics);
    return dispatch(req, res as MarkedResponse);
  });
  app.use(createErrorHandler(deps.logger));
  return app;
}

function dispatchOf(deps: AppDeps) {
  const { upstream, passThrough, endpoints, listen, metrics, logger } = deps;
  const unparsed = new UnparsedSearches();
  const memory = new BodyMemory(listen.bodyMemoryBytes);
  const headersFor = createNativeHeaders(listen);
  const compress = createCompress(listen.compressFromBytes);
  const natives = createNativeHandler({
    upstream,
    passThrough,
    headersFor,
    compress,
    cachedRead: deps.cachedRead,
    memory,
    scopedRead: deps.scopedRead,
    sharing: deps.sharing,
    cacheControl: deps.cacheControl,
    onHandOn(kind, { name }, declined) {
      metrics.handedOn(name, kind);
      const { filter, detail = '' } = declined ?? {};
      if (filter !== undefined) unparsed.add(name, filter, detail);
    },
    onFailure: (err, { name }) => logger.error({ err, endpoint: name }, 'the MLflow server answers for us: we failed'),
  });
  return createDispatch({
    isAllowedHost: createHostCheck(listen.allowedHosts),
    admit: deps.admit,
    prepareForwarding: createPrepareForwarding(createTrustedProxies(listen.trustedProxies)),
    staysBelow: createStaysBelow(upstream.url),
    ownRoute: createOwnRoutes({
      isReady: deps.isReady,
      metrics: async () => ({ contentType: metrics.contentType, text: await metrics.render() }),
      status: async () => ({
        ...(await deps.status()),
        ...(deps.sharesSearches() && { unparsedSearches: unparsed.list() }),
      }),
    }),
    opening: deps.opening,
    endpoints,
    answerNatively: natives.answer,
    findLegacy: createFindLegacy(listen.legacyRequests),
    answerLegacy: createLegacyHandler({ endpoints, ask: natives.ask, headersFor, compress, memory }),
    write: createWriteHandler({
      upstream,
      passThrough,
      rewriteLocation: createLocationRewrite(upstream.url, listen.pathPrefix),
      memory,
      expect: deps.expect,
      settle: deps.settle,
    }),
    passThrough,
  });
}
