import { NO_EFFECT, type WriteEffect } from '../plan/write-effect.ts';
import type { UpstreamResponse } from '../upstream/upstream-client.ts';
import { readLikePython } from './python-json.ts';
import type { WriteKind } from './write-table.ts';

const ANYTHING: WriteEffect = { ...NO_EFFECT, unknown: true };

type Answer = Pick<UpstreamResponse, 'status' | 'body'>;

/**
 * What a write may change, told from its body, and from its answer when that is there: undefined when it changed nothing.
 * Without an answer the backend may still carry the write out. `body` is undefined when the request was not read.
 * Names a run or an experiment rather too often than too seldom: a failed write may have taken effect in part.
 */
export function writeEffectOf(
  kind: WriteKind,
  body: Buffer | undefined,
): (answer: Answer | undefined) => WriteEffect | undefined {
  const request = body && readLikePython(body);
  return (answer) => {
    if (answer && hadNoEffect(kind, answer)) return undefined;
    const effect = EFFECT_OF[kind](request, answer);
    return effect && { ...effect, uncertain: answer === undefined || kind === 'anything-later' };
  };
}

/** MLflow looks for rights, routes, required fields and the run or experiment before it does anything. */
function hadNoEffect(kind: WriteKind, { status, body }: Answer): boolean {
  const isRedirect = status >= 300 && status < 400;
  if (isRedirect || [401, 403, 405].includes(status)) return true;
  const { error_code: code, message } = (status < 500 && readLikePython(body)) || {};
  if (status === 404) return code === undefined || !kind.startsWith('anything');
  return status === 400 && String(message).startsWith("Missing value for required parameter '");
}

/** `undefined` stands for a body that was not read, or that Python may read otherwise. */
type Request = Readonly<Record<string, unknown>> | undefined;

const EFFECT_OF: Readonly<
  Record<WriteKind, (request: Request, answer: Answer | undefined) => WriteEffect | undefined>
> = {
  run: changeOfRun,
  'run-with-end': changeOfEnd,
  'create-run': (request, answer) => (answer && isRefusal(answer) ? undefined : creationOfRun(request, answer)),
  'create-run-in-steps': creationOfRun,
  'create-experiment': creationOfExperiment,
  experiment: () => ({ ...NO_EFFECT, experimentsChanged: true }),
  'experiment-with-runs': changeOfExperiment,
  permissions: () => ({ ...NO_EFFECT, permissionsChanged: true }),
  anything: () => ANYTHING,
  'anything-later': () => ANYTHING,
};

const RUN_KEYS = ['run_id', 'run_uuid', 'runId', 'runUuid'];

function changeOfRun(request: Request, answer: Answer | undefined): WriteEffect | undefined {
  if (!request) return ANYTHING;
  const ids = RUN_KEYS.map((key) => request[key]).filter((id) => typeof id === 'string' && id !== '') as string[];
  // A body without an id is refused, unless MLflow sees more in it than we do.
  if (ids.length === 0) return answer && isRefusal(answer) ? undefined : ANYTHING;
  if (!ids.every((id) => /^[\w-]+$/.test(id))) return ANYTHING;
  // MySQL finds a run whatever the case of its id.
  const spellings = new Set(ids.flatMap((id) => [id, id.toLowerCase()]));
  return { ...NO_EFFECT, runs: [...spellings].map((runId) => ({ runId })) };
}

/**
 * MLflow leaves an end at 0 out of a run's JSON: reading the run again does not tell, so its experiment is read anew as
 * after a change of all its runs, which asks for such ends.
 */
function changeOfEnd(request: Request, answer: Answer | undefined): WriteEffect | undefined {
  const effect = changeOfRun(request, answer);
  const isZero = [request?.end_time, request?.endTime].some(mayBeReadAsZero);
  if (!effect || !isZero || (answer && isRefusal(answer))) return effect;
  const { experiment_id: id } = (contentOf(answer).run_info ?? {}) as Record<string, unknown>;
  return typeof id === 'string' ? { ...effect, experimentsWithChangedRuns: [id] } : ANYTHING;
}

/** Python reads more as an integer than plain digits. */
const mayBeReadAsZero = (value: unknown) => value !== undefined && value !== null && !(Math.abs(Number(value)) >= 1);

function creationOfRun(request: Request, answer: Answer | undefined): WriteEffect {
  const { run } = contentOf(answer);
  const { run_id: runId, experiment_id: experimentId } = (run as { info?: Record<string, unknown> })?.info ?? {};
  if (typeof runId === 'string' && typeof experimentId === 'string') {
    return { ...NO_EFFECT, runs: [{ runId, experimentId }] };
  }
  return allRunsOf(request);
}

function creationOfExperiment(_: Request, answer: Answer | undefined): WriteEffect | undefined {
  if (answer && isRefusal(answer)) return undefined;
  const { experiment_id: id } = contentOf(answer);
  return { ...NO_EFFECT, createdExperiments: typeof id === 'string' ? [id] : [], experimentsChanged: true };
}

function changeOfExperiment(request: Request, answer: Answer | undefined): WriteEffect | undefined {
  return answer && isRefusal(answer) ? undefined : { ...allRunsOf(request), experimentsChanged: true };
}

/** Python reads more as an integer than plain digits; that is left to it. */
function allRunsOf(request: Request): WriteEffect {
  const id = request?.experiment_id ?? request?.experimentId;
  const isPlain = typeof id === 'string' && /^\d{1,18}$/.test(id);
  return isPlain ? { ...NO_EFFECT, experimentsWithChangedRuns: [String(BigInt(id))] } : ANYTHING;
}

/** What a success says; nothing when there was none. */
const contentOf = (answer: Answer | undefined): Readonly<Record<string, unknown>> =>
  (answer?.status === 200 && readLikePython(answer.body)) || {};

/** For writes of one transaction: refused means undone. `log-batch` is not one of them. */
function isRefusal({ status }: Answer): boolean {
  return status >= 400 && status < 500;
}
