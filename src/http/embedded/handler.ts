import { nestsDeeperThan } from '../../domain/json-depth.ts';
import { NotANumber } from '../../domain/python-numbers.ts';
import { GatewayError, invalidParameter, toGatewayError } from '../../errors/gateway-error.ts';
import { errorBody } from '../error-response.ts';
import { type CallStore, EMBEDDED_ENDPOINTS, type EmbeddedEndpoint } from './endpoints.ts';
import type { EmbeddedAnswer, EmbeddedRequest } from './exchange.ts';
import { htmlPage } from './html-page.ts';
import { queryArguments } from './query-arguments.ts';
import { ServerFault } from './server-fault.ts';

export interface EmbeddedDeps {
  /** Runs the operation of the tracking store that has this name. @throws GatewayError */
  call(operation: string, argument: unknown): Promise<unknown>;
  /** The endpoints that search, by name. */
  readonly searches: ReadonlyMap<string, EmbeddedEndpoint>;
  /** Hears of errors whose text no client sees. */
  onError?(error: unknown): void;
}

/** Python gives up at some thousand, and MLflow answers 500 then. */
const MAX_DEPTH = 100;

/** MLflow's tracking API over a store of our own; undefined for a path that is none of its. */
export type EmbeddedApi = (request: EmbeddedRequest) => Promise<EmbeddedAnswer | undefined>;

export function createEmbeddedApi({ call, searches, onError = () => {} }: EmbeddedDeps): EmbeddedApi {
  const endpoints = new Map([...EMBEDDED_ENDPOINTS, ...searches]);
  return async (request) => {
    const endpoint = endpointAt(endpoints, request.path);
    if (!endpoint) return needsUpstream(request.path) ? errorAnswer(notHere(request)) : undefined;
    if (request.method === 'OPTIONS') return json(204, '');
    if (!takes(endpoint, request.method)) return htmlPage(405);
    try {
      if (nestsDeeperThan(MAX_DEPTH, request.body))
        throw invalidParameter('The body of the request is nested too deep.');
      const raw = { ...request, query: queryArguments(request.query) };
      return json(200, await endpoint.answer(raw, call as CallStore, request.signal));
    } catch (error) {
      if (error instanceof ServerFault || error instanceof NotANumber) return htmlPage(500);
      if (!(error instanceof GatewayError)) onError(error);
      return errorAnswer(toGatewayError(error));
    }
  };
}

const takes = ({ method, alsoGet = false }: EmbeddedEndpoint, asked: string) =>
  asked === method || ((method === 'GET' || alsoGet) && (asked === 'GET' || asked === 'HEAD'));

function endpointAt(endpoints: ReadonlyMap<string, EmbeddedEndpoint>, path: string): EmbeddedEndpoint | undefined {
  const [, ajax, name = ''] = /^\/(ajax-)?api\/2\.0\/mlflow\/(.+)$/.exec(path) ?? [];
  const endpoint = endpoints.get(name);
  return endpoint?.ajaxOnly && !ajax ? undefined : endpoint;
}

/** Answered elsewhere in the gateway. */
const ELSEWHERE = /^\/(?:ajax-)?api\/2\.0\/mlflow\/(?:artifacts\/|upload-artifact$)/;
const OTHER_API = /^\/(?:(?:ajax-)?api\/\d\.\d\/(?:mlflow|jobs)\/|graphql$|v1\/traces$|model-versions\/get-artifact$)/;

const needsUpstream = (path: string) => OTHER_API.test(path) && !ELSEWHERE.test(path);

const notHere = ({ method, path }: EmbeddedRequest) =>
  new GatewayError(
    'ENDPOINT_NOT_FOUND',
    `${method} ${path} is not part of the gateway's own tracking store, which keeps experiments, runs and artifacts. ` +
      'Model registry, logged models, traces and the rest of MLflow need an upstream MLflow server.',
  );

const errorAnswer = (error: GatewayError) => json(error.status, errorBody(error));

const json = (status: number, body: string | Buffer): EmbeddedAnswer => ({
  status,
  contentType: 'application/json',
  body: typeof body === 'string' ? Buffer.from(body) : body,
});
