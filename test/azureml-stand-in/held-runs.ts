import { noSuchRun, refusal } from './azure-error.ts';
import { isGuid, toRunHex } from './ids.ts';
import { MlflowRefusal } from './mlflow-behind.ts';
import { type PresentedRun, presentRun, type Run } from './present-run.ts';
import { HIDDEN } from './run-tags.ts';
import type { Call, Workspace } from './workspace.ts';

/** The MLflow server's own limit is 50,000; the ids of so many in a filter are too many for its parser. */
const RUNS_A_READ = 1_000;

interface RunPage {
  readonly runs?: readonly Run[];
  readonly next_page_token?: string;
}

export interface RunsAsked {
  /** Experiments as MLflow knows them. */
  readonly numbers: readonly string[];
  readonly view: unknown;
  /** As MLflow knows them; all by default. */
  readonly hexes?: readonly string[];
}

/** Runs as MLflow holds them, in no order that means anything. */
export async function readRuns(workspace: Workspace, asked: RunsAsked): Promise<Run[]> {
  const { hexes } = asked;
  if (asked.numbers.length === 0) return [];
  if (!hexes) return readAll(workspace, asked, '');
  const found: Run[] = [];
  for (let at = 0; at < hexes.length; at += RUNS_A_READ) {
    const list = hexes.slice(at, at + RUNS_A_READ).map((hex) => `'${hex}'`);
    found.push(...(await readAll(workspace, asked, `attributes.run_id IN (${list.join(', ')})`)));
  }
  return found;
}

async function readAll({ mlflow }: Workspace, { numbers, view }: RunsAsked, filter: string): Promise<Run[]> {
  const found: Run[] = [];
  const search = { experiment_ids: numbers, run_view_type: view, filter, max_results: RUNS_A_READ };
  for (let token: string | undefined = ''; token !== undefined; ) {
    const page: RunPage = await mlflow.post('runs/search', { ...search, page_token: token });
    found.push(...(page.runs ?? []));
    token = page.next_page_token || undefined;
  }
  return found;
}

/** The run that a request names, by `run_id` or, as old clients, `run_uuid`. @throws AzureError */
export function namedRun({ body, query, version }: Call, workspace: Workspace): Promise<PresentedRun> {
  const id = body.run_id || body.run_uuid || query.get('run_id') || query.get('run_uuid');
  if (typeof id !== 'string') throw refusal("Required parameter 'run_id' is missing.");
  return findRun(id, version, workspace);
}

/** @throws AzureError when there is none of this id, which a run known by another one has not. */
export async function findRun(id: string, version: Call['version'], workspace: Workspace): Promise<PresentedRun> {
  const held = isGuid(id) ? await readRun(toRunHex(id), workspace) : await findJobRun(id, workspace);
  const presented = held && (await presentRun(held, version, workspace));
  if (presented?.run.info.run_id !== id) throw noSuchRun(id);
  return presented;
}

async function readRun(hex: string, { mlflow }: Workspace): Promise<Run | undefined> {
  try {
    return (await mlflow.get<{ run: Run }>('runs/get', { run_id: hex })).run;
  } catch (error) {
    if (error instanceof MlflowRefusal && error.status === 404) return undefined;
    throw error;
  }
}

async function findJobRun(id: string, { mlflow, rules }: Workspace): Promise<Run | undefined> {
  if (!rules.jobRuns || !/^[\w-]{1,256}$/.test(id)) return undefined;
  const all = { max_results: 50_000, view_type: 'ALL' };
  const { experiments = [] } = await mlflow.post<{ experiments?: { experiment_id: string }[] }>(
    'experiments/search',
    all,
  );
  const search = {
    experiment_ids: experiments.map(({ experiment_id }) => experiment_id),
    filter: `tags.\`${HIDDEN.runId}\` = '${id}'`,
    run_view_type: 'ALL',
  };
  const { runs = [] } = await mlflow.post<RunPage>('runs/search', search);
  return runs[0];
}
