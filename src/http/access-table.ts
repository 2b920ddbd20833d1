import { resolvePath } from './resolve-path.ts';

/**
 * What a request does to what the backend keeps:
 * - `read`: changes nothing
 * - `write`: may change something, or it is not known
 * - `administer`: shows or changes who may do what at the backend
 */
export type AccessKind = 'read' | 'write' | 'administer';

/** `POST`s that change nothing, below `/api/` and `/ajax-api/` (MLflow's REST API and the routes its UI uses). */
const READS: ReadonlySet<string> = new Set([
  '2.0/mlflow/artifacts/presigned-download-url',
  '2.0/mlflow/experiments/search',
  '2.0/mlflow/experiments/search-datasets',
  '2.0/mlflow/logged-models/search',
  '2.0/mlflow/registered-models/get-latest-versions',
  '2.0/mlflow/runs/search',
  '3.0/jobs/search',
  '3.0/mlflow/datasets/search',
  '3.0/mlflow/issues/search',
  '3.0/mlflow/jobs/search',
  '3.0/mlflow/prompt-optimization/jobs/search',
  '3.0/mlflow/traces/batchGetInfos',
  '3.0/mlflow/traces/calculate-filter-correlation',
  '3.0/mlflow/traces/metrics',
  '3.0/mlflow/traces/search',
]);

/** Of MLflow's `basic-auth` app (`mlflow/server/auth/routes.py`), and of earlier ones: users, roles, permissions. */
const ADMINISTRATION = /\/signup$|\/mlflow\/(?:users|roles)(?:\/|$)|\/permissions(?:\/|$)/;

/** Calls of language models by any method, which cost. */
const MODEL_PROXY = /\/gateway\/proxy(?:\/|$)/;

const API_PATH = /^\/(?:ajax-)?api\/(.+)$/;

/** What a request does; unknown is a write. `path` is today's, without its query. */
export function accessKind(method: string, path: string): AccessKind {
  if (method === 'POST' && isReadPost(path)) return 'read';
  const routed = `/${resolvePath(path).segments.join('/')}`;
  if (ADMINISTRATION.test(routed)) return 'administer';
  return (method === 'GET' || method === 'HEAD') && !MODEL_PROXY.test(routed) ? 'read' : 'write';
}

/** As it is spelled: what another server would route elsewhere is no read. */
function isReadPost(path: string): boolean {
  // The UI reads by it. Its mutations are searches, and one that does nothing (`mlflow/server/graphql`).
  if (path === '/graphql') return true;
  const [, name = ''] = API_PATH.exec(path) ?? [];
  return READS.has(name);
}
