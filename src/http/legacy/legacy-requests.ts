import { type Fields, getCall, postCall } from './call.ts';
import type { Legacy, Translate } from './legacy.ts';
import { listExperiments } from './list-experiments.ts';
import { getMetric, getParam } from './pick-of-run.ts';
import { getExperiment, listRuns } from './run-infos.ts';
import { searchRuns, searchRunsByGet } from './search-runs.ts';
import { differ, given, withTodaysNames } from './todays-names.ts';

const namedAsToday =
  (name: string, callOf: typeof getCall, renamed?: Readonly<Record<string, string>>): Translate =>
  (fields, base) => {
    const today = withTodaysNames(fields, renamed);
    return differ(today, fields) ? { become: callOf(`${base}${name}`, today) } : undefined;
  };

/** What the UI reads files by, to where the endpoint was moved in MLflow 0.5. */
const getArtifact = (fields: Fields): Legacy => {
  const { run_id, path } = withTodaysNames(fields);
  return { become: getCall('/get-artifact', given({ run_id, path })) };
};

const WRITES = [
  'experiments/delete',
  'experiments/restore',
  'experiments/set-experiment-tag',
  'experiments/update',
  'runs/create',
  'runs/delete',
  'runs/delete-tag',
  'runs/log-batch',
  'runs/log-metric',
  'runs/log-parameter',
  'runs/restore',
  'runs/set-tag',
  'runs/update',
];

/** Requests of MLflow's REST documentation of 0.x and 1.x that today's server does not know, or not as they were. */
const TRANSLATIONS: ReadonlyMap<string, Translate> = new Map<string, Translate>([
  ['GET artifacts/get', getArtifact],
  ['GET artifacts/list', namedAsToday('artifacts/list', getCall)],
  ['GET experiments/get', getExperiment],
  ['GET experiments/list', listExperiments],
  ['GET metrics/get', getMetric],
  ['GET metrics/get-history', namedAsToday('metrics/get-history', getCall, { run_uuid: 'run_id', key: 'metric_key' })],
  ['GET params/get', getParam],
  ['GET runs/get', namedAsToday('runs/get', getCall)],
  ['GET runs/list', listRuns],
  ['GET runs/search', searchRunsByGet],
  ['POST runs/search', searchRuns],
  ...WRITES.map((name): [string, Translate] => [`POST ${name}`, namedAsToday(name, postCall)]),
]);

/** Where old requests are understood: below `/api/2.0/preview/mlflow/` alone, below `/api/2.0/mlflow/` too, or nowhere. */
export type LegacyPlaces = 'preview' | 'everywhere' | 'off';

export interface LegacyRequest {
  readonly name: string;
  /** The path up to the name. */
  readonly base: string;
  readonly translate: Translate;
}

const API_PATH = /^(\/(?:ajax-)?api\/2\.0\/mlflow\/)(.+)$/;

/** Finds what a request may be of old; `path` is today's. */
export const createFindLegacy =
  (places: LegacyPlaces) =>
  (method: string | undefined, path: string, isPreview: boolean): LegacyRequest | undefined => {
    if (places === 'off' || !(isPreview || places === 'everywhere')) return undefined;
    const [, base = '', name = ''] = API_PATH.exec(path) ?? [];
    const translate = TRANSLATIONS.get(`${method} ${name}`);
    return translate && { name, base, translate };
  };
