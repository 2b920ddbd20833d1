import { pythonJson } from '../../domain/python-text.ts';
import { splitRuns } from '../../domain/run-text.ts';
import { allPages } from './all-pages.ts';
import { type Ask, type Fields, fieldsOf, getCall, postCall } from './call.ts';
import type { Legacy } from './legacy.ts';
import { missing } from './missing.ts';
import { given, integerOf, viewName, withTodaysNames } from './todays-names.ts';

/** Most run infos of one answer: as many as MLflow's largest page has. */
const MOST = 50_000;
/** Runs that are read at a time, whole, for their infos: others have a turn in between. */
const PAGE = 2_500n;

/** `experiments/get`, whose answer held the active runs of the experiment as well. */
export const getExperiment = (fields: Fields, base: string): Legacy => ({
  async compose(ask) {
    const { experiment_id: asked } = withTodaysNames(fields);
    const { experiment } = fieldsOf(await ask(getCall(`${base}experiments/get`, given({ experiment_id: asked }))));
    const { experiment_id: id = '' } = experiment as Fields;
    const infos = await allInfos({ experiment_ids: [id] }, base, ask);
    return objectText([`"experiment":${pythonJson(experiment ?? null)}`, ...runsField(infos)]);
  },
});

/** `runs/list`: the infos of an experiment's runs; a page of them where one is asked for. */
export function listRuns(fields: Fields, base: string): Legacy {
  const { experiment_id: id, experiment_ids: ids = id === undefined ? undefined : [id] } = withTodaysNames(fields);
  if (ids === undefined) throw missing('experiment_id');
  const search = given({ experiment_ids: ids, run_view_type: viewName(fields.run_view_type) });
  const paging = given({ max_results: integerOf(fields.max_results), page_token: fields.page_token });
  return {
    async compose(ask) {
      if (Object.keys(paging).length === 0) return objectText(runsField(await allInfos(search, base, ask)));
      const { items, next } = await pageOfInfos({ ...search, ...paging }, base, ask);
      return objectText([...runsField(items), ...(next ? [`"next_page_token":${pythonJson(next)}`] : [])]);
    },
  };
}

interface Info {
  readonly runId: string;
  /** JSON, each number as it was sent. */
  readonly text: string;
}

async function allInfos(search: Fields, base: string, ask: Ask): Promise<readonly Info[]> {
  const infos = await allPages(MOST, (token) => pageOfInfos({ ...search, max_results: PAGE, ...token }, base, ask));
  // A run that is created between two pages moves others into the next.
  return [...new Map(infos.map((info) => [info.runId, info])).values()];
}

async function pageOfInfos(search: Fields, base: string, ask: Ask) {
  const { runs, nextPageToken } = splitRuns(await ask(postCall(`${base}runs/search`, search)));
  return { items: runs.map(infoOf), next: nextPageToken };
}

/** What MLflow prints first of a run: an object without others in it. */
const INFO = /^\{"info":(\{(?:[^"{}]+|"[^"\\]*(?:\\.[^"\\]*)*")*)\}/s;

/** Cut out, not decoded: an experiment may have many runs with much in each. */
function infoOf(run: string): Info {
  const [, cut] = INFO.exec(run) ?? [];
  const open = cut ?? pythonJson((fieldsOf(run).info ?? {}) as Fields).slice(0, -1);
  const { run_id: runId, run_name: name } = JSON.parse(`${open}}`) as { run_id: string; run_name?: string };
  // Old infos have the name in `name`.
  return { runId, text: name === undefined ? `${open}}` : `${open},"name":${JSON.stringify(name)}}` };
}

/** Protobuf's JSON leaves an empty list out. */
const runsField = (infos: readonly Info[]): readonly string[] =>
  infos.length > 0 ? [`"runs":[${infos.map(({ text }) => text).join()}]`] : [];

const objectText = (fields: readonly string[]): string => `{${fields.join()}}`;
