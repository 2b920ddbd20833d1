import { type AzureError, lowerCaseRefusal } from './azure-error.ts';
import { findRun } from './held-runs.ts';
import { toExperimentNumber } from './ids.ts';
import { MlflowRefusal } from './mlflow-behind.ts';
import type { PresentedRun } from './present-run.ts';
import type { Workspace } from './workspace.ts';

/** A request to the artifacts of a run, which are part of run history and no part of MLflow's API. */
export interface ArtifactCall {
  /** Such as `GET`, `GET path`, `POST batch/metadata`. */
  readonly action: string;
  /** By name or id. */
  readonly experiment: string;
  readonly runId: string;
  readonly query: URLSearchParams;
}

const MOST_PATHS = 100;
const PAGE = 100;

/** Undefined for other requests, and for another scope. */
export function artifactCallOf(method: string, { pathname, searchParams }: URL, { scope }: Workspace) {
  const prefix = `/history/v1.0${scope}/experiments/`;
  const path = decodeURIComponent(pathname);
  const match = path.startsWith(prefix)
    ? /^([^/]+)\/runs\/([^/]+)\/artifacts(?:\/(.+))?$/.exec(path.slice(prefix.length))
    : null;
  if (!match) return undefined;
  const [, experiment = '', runId = '', rest = ''] = match;
  return { action: `${method} ${rest}`.trim(), experiment, runId, query: searchParams };
}

/** @throws AzureError in the form of run history. */
export async function callArtifacts(
  call: ArtifactCall,
  body: Readonly<Record<string, unknown>>,
  workspace: Workspace,
): Promise<unknown> {
  const run = await runOf(call, workspace);
  const path = call.query.get('path') ?? '';
  switch (call.action) {
    case 'GET':
      return pageOf(await list(run, '', workspace), call.query);
    case 'GET path':
      return pageOf(await list(run, path, workspace), call.query);
    case 'GET contentinfo':
      if (!(await workspace.blobs.has(placeOf(run, path)))) throw refused(404, `Artifact ${path} not found.`);
      return contentOf(run, path, 'read', workspace);
    case 'POST batch/metadata':
      return prepare(run, body, workspace);
    default:
      throw refused(404, 'Not found.');
  }
}

async function runOf({ experiment, runId }: ArtifactCall, workspace: Workspace): Promise<PresentedRun> {
  const found = await findRun(runId, 'v2.0', workspace).catch(() => undefined);
  const id = found?.run.info.experiment_id ?? '';
  const number = toExperimentNumber(id) ?? '';
  const names = found && [id, await workspace.experimentName(number), ...(number === '0' ? ['0'] : [])];
  if (!names?.includes(experiment)) throw refused(404, `Run ${runId} not found in experiment ${experiment}.`);
  return found as PresentedRun;
}

const refused = (status: number, message: string): AzureError =>
  lowerCaseRefusal(status, message, status === 404 ? 'NotFound' : 'BadRequest', 'run-history');

/** Where the MLflow behind keeps it, below its root of all artifacts. */
const placeOf = ({ heldUri }: PresentedRun, path: string): string =>
  `${heldUri.replace(/^mlflow-artifacts:\/*/, '')}/${path}`;

interface Listing {
  readonly files?: readonly { readonly path: string; readonly is_dir: boolean }[];
}

/** All files below a folder; those of MLflow name their folders themselves. */
async function list(run: PresentedRun, folder: string, workspace: Workspace): Promise<string[]> {
  const query = { run_id: run.hex, ...(folder === '' ? {} : { path: folder }) };
  const { files = [] } = await workspace.mlflow.get<Listing>('artifacts/list', query).catch((error: unknown) => {
    if (error instanceof MlflowRefusal && error.status < 500) return {} as Listing;
    throw error;
  });
  const found = files.map(async ({ path, is_dir }) => (is_dir ? list(run, path, workspace) : [path]));
  return (await Promise.all(found)).flat();
}

function pageOf(paths: readonly string[], query: URLSearchParams) {
  const start = Number(query.get('continuationToken') ?? 0);
  const value = paths.slice(start, start + PAGE).map((path) => ({ path }));
  return { value, ...(start + PAGE < paths.length ? { continuationToken: `${start + PAGE}` } : {}) };
}

function prepare(run: PresentedRun, body: Readonly<Record<string, unknown>>, workspace: Workspace) {
  const paths = Array.isArray(body.paths) ? body.paths.map(({ path }: { path: string }) => path) : [];
  if (workspace.rules.artifactBatchLimit && paths.length > MOST_PATHS)
    throw refused(400, `Artifact batch size exceeded the limit of ${MOST_PATHS}`);
  const contents = paths.map((path) => [path, contentOf(run, path, 'write', workspace)]);
  return { artifactContentInformation: Object.fromEntries(contents) };
}

const contentOf = (run: PresentedRun, path: string, right: 'read' | 'write', { blobs }: Workspace) => ({
  ...{ origin: 'ExperimentRun', container: `dcid.${run.run.info.run_id}`, path },
  contentUri: blobs.sign(placeOf(run, path), right),
});
