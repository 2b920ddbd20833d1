import type { CacheDemand, CachedAnswer, CachedRead } from '../cache/cached-read.ts';
import type { BackendCaller } from '../plan/backend-caller.ts';
import { dependency, type PlannedRead, type ReadAnswer } from '../plan/read.ts';
import { mayNameModels, namesModels, type WireRun } from './model-links.ts';
import type { Permissions } from './permissions.ts';

export interface ScopedReadOptions {
  readonly cachedRead: CachedRead;
  readonly permissions: Permissions;
  /** How long the backend's word on what a caller may read is taken, in ms. */
  readonly maxAgeMs: number;
  /** The experiment of a run; undefined when there is no such run. */
  experimentOf(runId: string, signal: AbortSignal): Promise<string | undefined>;
}

/** What a caller asks, besides what was read of it. */
export interface ScopedRequest {
  readonly caller: BackendCaller;
  readonly demand?: CacheDemand | undefined;
  readonly signal: AbortSignal;
  /** The same read, of these experiments alone; undefined when it is not understood. */
  among(experimentIds: readonly string[]): PlannedRead | undefined;
  /** Asks the backend in the caller's words and name. @throws GatewayError */
  ask(signal: AbortSignal): Promise<ReadAnswer>;
}

/** @throws GatewayError */
export type ScopedRead = (read: PlannedRead, request: ScopedRequest) => Promise<CachedAnswer | undefined>;

/**
 * Reads for callers whom the backend tells apart: what all share of cache and index, of that what this caller may read. Undefined
 * when the backend has to be asked by the caller: it refuses, or it is not known that it does not.
 *
 * As MLflow's `basic-auth` app (`mlflow/server/auth/__init__.py`) does it: a search for runs leaves out experiments before it is
 * carried out (`filter_experiment_ids`); one for experiments afterwards, so that its pages are each caller's own.
 */
export function createScopedRead({ cachedRead, permissions, maxAgeMs, experimentOf }: ScopedReadOptions): ScopedRead {
  async function readSome(read: PlannedRead, experimentIds: readonly string[], request: ScopedRequest) {
    const { caller, signal, demand, among } = request;
    const readable = await permissions.searchable(caller, experimentIds, signal);
    if (!readable || readable.length === 0) return undefined;
    const allowed = readable.length === experimentIds.length ? read : among(readable);
    return allowed && cachedRead(allowed, signal, demand);
  }

  async function readRuns(read: PlannedRead, runIds: readonly string[], { caller, signal, demand }: ScopedRequest) {
    const experiments = await Promise.all(runIds.map((id) => experimentOf(id, signal)));
    const asked = new Map(experiments.map((id, i) => [id, runIds[i] as string]));
    const verdicts = [...asked].map(([id, run]) => id && permissions.mayReadRuns(caller, id, run, signal));
    const isAllowed = (await Promise.all(verdicts)).every((verdict) => verdict === true);
    return isAllowed ? cachedRead(read, signal, demand) : undefined;
  }

  async function readNamed(read: PlannedRead, { caller, signal, demand }: ScopedRequest) {
    const answer = await cachedRead(read, signal, demand);
    if (answer.status !== 200) return undefined;
    const { experiment } = JSON.parse(answer.body.toString('utf8')) as { experiment: { experiment_id: string } };
    return (await permissions.mayReadExperiment(caller, experiment.experiment_id, signal)) ? answer : undefined;
  }

  function readOwn(read: PlannedRead, { caller, signal, demand, ask }: ScopedRequest) {
    const key = `${read.key} ${caller.id}`;
    const dependsOn = [...read.dependsOn, dependency.permissions];
    return cachedRead({ ...read, key, dependsOn, maxAgeMs, fetch: ask }, signal, demand);
  }

  async function readAllowed(read: PlannedRead, request: ScopedRequest): Promise<CachedAnswer | undefined> {
    const { concern } = read;
    if (concern.kind === 'runs-of') return readSome(read, concern.experimentIds, request);
    if (concern.kind === 'runs') return readRuns(read, concern.runIds, request);
    if (concern.kind === 'named-experiment') return readNamed(read, request);
    if (concern.kind === 'experiments') return readOwn(read, request);
    const { caller, signal, demand } = request;
    const isAllowed = await permissions.mayReadExperiment(caller, concern.experimentId, signal);
    return isAllowed ? cachedRead(read, signal, demand) : undefined;
  }

  /** Whether an answer names no logged models, or the caller is shown them. */
  async function isWhole({ body }: CachedAnswer, { caller, signal }: ScopedRequest): Promise<boolean> {
    if (!mayNameModels(body) || (await permissions.seesModels(caller, undefined, signal))) return true;
    const { run, runs = run ? [run] : [], metrics = [] } = JSON.parse(body.toString('utf8')) as Contents;
    const linked = runs.find(namesModels);
    if (!linked && !metrics.some(({ model_id }) => Boolean(model_id))) return true;
    return (await permissions.seesModels(caller, linked?.info.run_id, signal)) === true;
  }

  return async (read, request) => {
    const answer = await readAllowed(read, request);
    return answer?.status === 200 && (await isWhole(answer, request)) ? answer : undefined;
  };
}

interface Contents {
  readonly run?: WireRun;
  readonly runs?: readonly WireRun[];
  /** Of a history. */
  readonly metrics?: readonly { readonly model_id?: string }[];
}
