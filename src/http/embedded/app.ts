import type { IncomingMessage, ServerResponse } from 'node:http';
import express, { type Express } from 'express';
import { RequestRefused } from '../../errors/request-refused.ts';
import type { Logger } from '../../telemetry/logger.ts';
import type { Metrics } from '../../telemetry/metrics.ts';
import type { Admit } from '../admission.ts';
import { bodyUpTo } from '../body.ts';
import { createCompress } from '../compress.ts';
import { createErrorHandler } from '../error-handler.ts';
import { hangUpSignal } from '../hang-up-signal.ts';
import { createHostCheck, refuseHost } from '../host-check.ts';
import { createFindLegacy } from '../legacy/legacy-requests.ts';
import { fieldsOfQuery } from '../legacy/read-fields.ts';
import type { ListenRules } from '../listen-rules.ts';
import type { MarkedResponse } from '../marks.ts';
import { createNativeHeaders } from '../native-headers.ts';
import { observe } from '../observe.ts';
import { EXEMPT_FROM_HOST_CHECK, type OwnRoutes } from '../own-routes.ts';
import { pathOf, queryOf, withoutPreview } from '../paths.ts';
import type { ArtifactRoutes } from './artifacts.ts';
import type { EmbeddedAnswer } from './exchange.ts';
import type { EmbeddedApi } from './handler.ts';
import { htmlPage } from './html-page.ts';
import { answerLegacy } from './legacy-api.ts';
import { fixedAnswer } from './server-info.ts';

export interface EmbeddedAppDeps {
  readonly listen: ListenRules;
  readonly admit: Admit;
  readonly ownRoute: OwnRoutes;
  readonly artifacts: ArtifactRoutes;
  readonly api: EmbeddedApi;
  readonly metrics: Metrics;
  readonly logger: Logger;
}

/** Of a request that is no upload of an artifact, in bytes. MLflow's own clients stay below 1 MB. */
const MAX_BODY = 8_388_608;

const CROSS_ORIGIN: EmbeddedAnswer = {
  status: 403,
  contentType: 'text/plain; charset=utf-8',
  body: Buffer.from('Cross-origin request blocked'),
};

/** A tracking server without MLflow behind it, as an Express app. Opens nothing: no port, no file. */
export function createEmbeddedApp(deps: EmbeddedAppDeps): Express {
  const isAllowedHost = createHostCheck(deps.listen.allowedHosts);
  const headersFor = createNativeHeaders(deps.listen);
  const compress = createCompress(deps.listen.compressFromBytes);
  const findLegacy = createFindLegacy(deps.listen.legacyRequests);

  async function answer(req: IncomingMessage, res: MarkedResponse): Promise<void> {
    const path = pathOf(req.url ?? '/');
    if (!isAllowedHost(req.headers.host) && !EXEMPT_FROM_HOST_CHECK.has(path)) return refuseHost(res);
    const admitted = deps.admit(req);
    return admitted instanceof Promise ? admitted.then(() => goOn(req, res, path)) : goOn(req, res, path);
  }

  async function goOn(req: IncomingMessage, res: MarkedResponse, path: string): Promise<void> {
    const own = deps.ownRoute(req, path);
    res.locals.route = own ? 'gateway' : 'embedded';
    if (own) return own(res);
    const headers = headersFor(req.headers.origin);
    // MLflow's protection against pages of other origins (`mlflow/server/fastapi_security.py`).
    if (!headers && isWrite(req, path)) return send(CROSS_ORIGIN, {}, res);
    for (const [name, value] of Object.entries(headers ?? {})) res.setHeader(name, value);
    const artifact = deps.artifacts(req, res, artifactPath(req));
    if (artifact) return artifact;
    const given = fixedAnswer(req.method ?? 'GET', path) ?? (await callApi(req, res)) ?? htmlPage(404);
    const { body, encoding } = await compress(given.body, req);
    send({ ...given, body }, { ...headers, ...encoding }, res);
  }

  /** The path as today's artifact routes know it, and the query with it. */
  function artifactPath(req: IncomingMessage): string {
    const target = withoutPreview(req.url ?? '/');
    const path = pathOf(target);
    const old = findLegacy(req.method, path, target !== req.url);
    if (!old?.name.startsWith('artifacts/')) return path;
    const legacy = old.translate(fieldsOfQuery(queryOf(target)), old.base);
    if (legacy && 'become' in legacy) req.url = legacy.become.target;
    return pathOf(withoutPreview(req.url ?? '/'));
  }

  async function callApi(req: IncomingMessage, res: ServerResponse): Promise<EmbeddedAnswer | undefined> {
    const { method = 'GET', headers } = req;
    const target = withoutPreview(req.url ?? '/');
    const body = await bodyUpTo(MAX_BODY, req);
    if (!body) throw new RequestRefused(413, `The body of the request is longer than ${MAX_BODY} bytes.`);
    const signal = hangUpSignal(res);
    const request = { method, path: pathOf(target), query: queryOf(target), headers, body, signal };
    const old = findLegacy(method, request.path, target !== req.url);
    return old ? answerLegacy(old, request, deps.api) : deps.api(request);
  }

  const app = express().disable('x-powered-by').disable('etag').disable('query parser');
  app.use((req, res) => {
    observe(res, deps.metrics);
    return answer(req, res as MarkedResponse);
  });
  app.use(createErrorHandler(deps.logger));
  return app;
}

const isWrite = ({ method = 'GET' }: IncomingMessage, path: string) =>
  /^\/(?:ajax-)?api\//.test(path) && !['GET', 'HEAD', 'OPTIONS'].includes(method);

function send({ status, contentType, body }: EmbeddedAnswer, headers: object | undefined, res: ServerResponse): void {
  res
    .writeHead(status, { ...headers, 'content-type': contentType, 'content-length': body.length })
    .end(res.req.method === 'HEAD' ? undefined : body);
}
