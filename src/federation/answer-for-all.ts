import type { IncomingMessage, ServerResponse } from 'node:http';
import { NotANumber } from '../domain/python-numbers.ts';
import type { createCompress } from '../http/compress.ts';
import type { EmbeddedEndpoint } from '../http/embedded/endpoints.ts';
import { htmlPage } from '../http/embedded/html-page.ts';
import { queryArguments } from '../http/embedded/query-arguments.ts';
import {
  createExperimentSearchEndpoint,
  createRunSearchEndpoint,
  decimalId,
} from '../http/embedded/search-endpoints.ts';
import { ServerFault } from '../http/embedded/server-fault.ts';
import { sendError } from '../http/error-response.ts';
import { hangUpSignal } from '../http/hang-up-signal.ts';
import type { createNativeHeaders } from '../http/native-headers.ts';
import type { RunAdapter } from '../plan/adapter.ts';
import type { SearchExperiments } from '../plan/search-experiments.ts';
import { createRunSearch } from '../plan/search-runs.ts';
import { FilterSyntaxError } from '../query/filter-syntax-error.ts';
import { parseRunFilter } from '../query/parse-filter.ts';
import type { Requester } from '../upstream/upstream-client.ts';
import { type Backends, DEFAULT_BACKEND } from './backends.ts';
import { experimentsOfSeveral, FIELDS_OF_SEVERAL } from './experiments-of-several.ts';
import { historiesOfSeveral } from './histories-of-several.ts';
import { type Incoming, ownersOf } from './incoming.ts';
import { type Lanes, laneOf } from './lane.ts';
import type { AnswerForAll } from './router.ts';
import { type RunsOfSeveralDeps, runsOfSeveral, USUAL_DIALECT } from './runs-of-several.ts';
import { Several, type SeveralOptions } from './several.ts';
import { namesIds } from './translate-filter.ts';

export interface AnswerForAllDeps extends SeveralOptions, Pick<RunsOfSeveralDeps, 'budget'> {
  readonly backends: Backends;
  readonly lanes: Lanes;
  /** What speaks MLflow's API to a lane. */
  readonly openRuns: (client: Requester) => RunAdapter;
  readonly openExperiments: (client: Requester) => SearchExperiments;
  readonly headersFor: ReturnType<typeof createNativeHeaders>;
  readonly compress: ReturnType<typeof createCompress>;
}

/** Clauses and order keys of one search: what MLflow's databases take. */
const MAX_CLAUSES = 60;

const SEARCH = /^\/(?:ajax-)?api\/2\.0\/mlflow\/(runs|experiments)\/search$/;
const HISTORIES = /^\/(?:ajax-)?api\/2\.0\/mlflow\/metrics\/get-history-bulk(?:-interval)?$/;

/** Answers what is about several backends: searches for experiments, and for runs, and histories of runs, of more than one. */
export function createAnswerForAll(deps: AnswerForAllDeps) {
  const { backends, lanes } = deps;

  /** The id of an experiment in its usual spelling. */
  function readId(id: string): string | undefined {
    const { inward, outward } = laneOf(lanes, backends.ownerOf(id)).translation;
    const native = decimalId(inward.id(id));
    return native === undefined ? undefined : outward.id(native);
  }

  function runSearch(several: Several): EmbeddedEndpoint {
    const plan = createRunSearch({
      backend: runsOfSeveral({ ...deps, openSource: deps.openRuns }, several),
      dialect: () => USUAL_DIALECT,
      maxClauses: MAX_CLAUSES,
      onIndexFailure: () => undefined,
    });
    return createRunSearchEndpoint(plan, readId);
  }

  const experimentSearch = (several: Several) =>
    createExperimentSearchEndpoint(experimentsOfSeveral(lanes, deps.openExperiments, several), FIELDS_OF_SEVERAL);

  /** Whether a search for runs is one that no lane can answer alone. */
  function isOfSeveral(incoming: Incoming): boolean {
    if (incoming.body === undefined || !backends.isNamedIn(incoming.body)) return false;
    try {
      const owners = ownersOf(incoming, backends);
      if (owners.size > 1) return true;
      return owners.size === 1 && !owners.has(DEFAULT_BACKEND) && namesIds(filterIn(incoming.body));
    } catch (error) {
      if (error instanceof SyntaxError) return false;
      throw error;
    }
  }

  function endpointFor(
    incoming: Incoming,
    { method }: IncomingMessage,
  ): ((several: Several) => EmbeddedEndpoint) | undefined {
    const [, what] = SEARCH.exec(incoming.path) ?? [];
    if (what === 'experiments' && (method === 'POST' || method === 'GET')) return experimentSearch;
    if (what === 'runs' && method === 'POST' && isOfSeveral(incoming)) return runSearch;
    if (method === 'GET' && HISTORIES.test(incoming.path) && ownersOf(incoming, backends).size > 1)
      return (several) => historiesOfSeveral(deps, several, incoming);
    return undefined;
  }

  async function send(
    endpoint: EmbeddedEndpoint,
    several: Several,
    incoming: Incoming,
    req: IncomingMessage,
    res: ServerResponse,
  ) {
    const headers = deps.headersFor(req.headers.origin);
    // MLflow's protection against pages of other origins (`mlflow/server/fastapi_security.py`).
    if (!headers && req.method === 'POST')
      return void res
        .writeHead(403, { 'content-type': 'text/plain; charset=utf-8' })
        .end('Cross-origin request blocked');
    for (const [name, value] of Object.entries(headers ?? {})) res.setHeader(name, value);
    try {
      const asked = {
        method: req.method ?? 'GET',
        headers: req.headers,
        query: queryArguments(incoming.query),
        body: incoming.bytes,
      };
      const text = await endpoint.answer(asked, noStore, hangUpSignal(res));
      const { body, encoding } = await deps.compress(Buffer.from(text), req);
      res.writeHead(200, {
        ...headersOf(several),
        ...encoding,
        'content-type': 'application/json',
        'content-length': body.length,
      });
      res.end(body);
    } catch (error) {
      if (!(error instanceof ServerFault || error instanceof NotANumber)) return void sendError(res, error);
      const { status, contentType, body } = htmlPage(500);
      res.writeHead(status, { 'content-type': contentType, 'content-length': body.length }).end(body);
    }
  }

  return (incoming: Incoming, req: IncomingMessage): AnswerForAll | undefined => {
    const endpoint = endpointFor(incoming, req);
    if (!endpoint) return undefined;
    const several = new Several(deps, req.headers);
    return (res) => send(endpoint(several), several, incoming, req, res);
  };
}

const noStore = () => Promise.reject(new TypeError('There is no store here.'));

function headersOf({ missing, sources }: Several) {
  const source = sources.size === 1 ? [...sources].join() : 'backend';
  return {
    'x-gateway-source': source,
    'x-cache': 'BYPASS',
    ...(missing.size > 0 && { 'x-gateway-missing': [...missing].join(', ') }),
  };
}

/** The filter of a search; none where it is not understood, and the backend has to say what is wrong. */
function filterIn(body: string) {
  try {
    const { filter } = JSON.parse(body) as { filter?: unknown };
    return typeof filter === 'string' ? parseRunFilter(filter) : undefined;
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof FilterSyntaxError) return undefined;
    throw error;
  }
}
