import { resolvePath, withoutEscapes } from './resolve-path.ts';

/**
 * What a write can change (MLflow's REST API and the routes its UI uses):
 * - `run`: the run its body names
 * - `run-with-end`: the same, and when it ended
 * - `create-run`, `create-experiment`: what its answer names, and nothing when it is refused
 * - `create-run-in-steps`: the same, but a refusal may come after the first step
 * - `experiment`: name or tags of an experiment
 * - `experiment-with-runs`: an experiment and every run in it
 * - `permissions`: users, roles, and what they may do
 * - `anything`: cannot be told
 * - `anything-later`: the same, and a job goes on writing after the answer
 */
export type WriteKind =
  | 'run'
  | 'run-with-end'
  | 'create-run'
  | 'create-run-in-steps'
  | 'create-experiment'
  | 'experiment'
  | 'experiment-with-runs'
  | 'permissions'
  | 'anything'
  | 'anything-later';

/** `POST`s below `/api/2.0/mlflow/` and `/ajax-api/2.0/mlflow/`. */
const POSTS: Readonly<Record<string, WriteKind>> = {
  'experiments/create': 'create-experiment',
  'experiments/update': 'experiment',
  'experiments/delete': 'experiment-with-runs',
  'experiments/restore': 'experiment-with-runs',
  'experiments/set-experiment-tag': 'experiment',
  'experiments/delete-experiment-tag': 'experiment',
  'runs/create': 'create-run',
  'runs/update': 'run-with-end',
  'runs/delete': 'run',
  'runs/restore': 'run',
  'runs/log-metric': 'run',
  'runs/log-batch': 'run',
  'runs/log-parameter': 'run',
  'runs/set-tag': 'run',
  'runs/delete-tag': 'run',
  'runs/log-model': 'run',
  'runs/log-inputs': 'run',
  'runs/outputs': 'run',
  'runs/create-promptlab-run': 'create-run-in-steps',
};

/** `POST`s under the same paths that change nothing. */
const READS = ['runs/search', 'experiments/search', 'experiments/search-datasets'];

/** Writes to runs or experiments by other paths, below `/api/3.0/` and `/ajax-api/3.0/`. */
const OTHERS: readonly (readonly [method: string, path: RegExp, kind: WriteKind])[] = [
  ['POST', /^mlflow\/prompt-optimization\/jobs$/, 'anything-later'],
  ['POST', /^mlflow\/prompt-optimization\/jobs\/[^/]+\/cancel$/, 'anything-later'],
  ['DELETE', /^mlflow\/prompt-optimization\/jobs\/[^/]+$/, 'anything-later'],
  ['POST', /^mlflow\/(issues|genai\/evaluate|scorer)\/invoke$/, 'anything-later'],
  ['POST', /^jobs$/, 'anything-later'],
  ['PATCH', /^(mlflow\/)?jobs\/cancel\/[^/]+$/, 'anything-later'],
  ['POST', /^mlflow\/demo\/(generate|delete)$/, 'anything'],
  // May hand all its experiments to the default workspace.
  ['DELETE', /^mlflow\/workspaces\/[^/]+$/, 'anything'],
];

const API_PATH = /^\/(?:ajax-)?api\/(\d+\.\d+)\/(.+)$/;
const SAFE_METHODS = ['GET', 'HEAD', 'OPTIONS'];

/** The kind of write that a request is; undefined when it changes neither runs nor experiments, nor who may read them. */
export function writeKind(method: string, path: string): WriteKind | undefined {
  if (SAFE_METHODS.includes(method)) return undefined;
  return kindOf(method, asRouted(path)) ?? (mayBecomeWrite(method, path) ? 'anything' : undefined);
}

function kindOf(method: string, path: string): WriteKind | undefined {
  const [, version, rest = ''] = API_PATH.exec(path) ?? [];
  if (version === undefined) return undefined;
  const name = rest.startsWith('mlflow/') ? rest.slice('mlflow/'.length) : '';
  if (version === '2.0' && method === 'POST' && Object.hasOwn(POSTS, name)) return POSTS[name];
  const other = OTHERS.find(([otherMethod, pattern]) => otherMethod === method && pattern.test(rest));
  if (other) return other[2];
  if (/^(users|roles|workspaces)(\/|$)/.test(name)) return 'permissions';
  // A later MLflow's write, perhaps.
  return /^(runs|experiments)\//.test(name) && !READS.includes(name) ? 'anything' : undefined;
}

/** The path as MLflow routes it, and a little more leniently: escapes resolved, slashes merged, no slash at the end. */
const asRouted = (path: string): string =>
  withoutEscapes(path)
    .replace(/\/{2,}/g, '/')
    .replace(/\/$/, '');

/**
 * Whether a proxy between here and MLflow could make a write of it: one that resolves what MLflow does not, or that serves
 * it below a prefix.
 */
function mayBecomeWrite(method: string, path: string): boolean {
  const resolved = `/${resolvePath(path).segments.join('/')}`.toLowerCase().replace('/preview/', '/');
  return Array.from(resolved.matchAll(/\/(?:ajax-)?api\//g)).some(
    ({ index }) => kindOf(method, resolved.slice(index)) !== undefined,
  );
}
