import type { PythonJson } from '../../domain/python-text.ts';
import { allPages, listField } from './all-pages.ts';
import { type Ask, type Fields, getCall, postCall } from './call.ts';
import type { Legacy } from './legacy.ts';
import { missing } from './missing.ts';
import { given, integerOf, viewName, withTodaysNames } from './todays-names.ts';

/** Most run infos of one answer: as many as MLflow's largest page has. */
const MOST = 50_000;
/** Runs that are read at a time, whole, for their infos. */
const PAGE = 5_000n;

/** `experiments/get`, whose answer held the active runs of the experiment as well. */
export const getExperiment = (fields: Fields, base: string): Legacy => ({
  async compose(ask) {
    const answer = await ask(getCall(`${base}experiments/get`, withTodaysNames(fields)));
    const { experiment_id: id = '' } = answer.experiment as Fields;
    return { ...answer, ...listField('runs', await allInfos({ experiment_ids: [id] }, base, ask)) };
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
      if (Object.keys(paging).length === 0) return listField('runs', await allInfos(search, base, ask));
      const { runs = [], ...rest } = await ask(postCall(`${base}runs/search`, { ...search, ...paging }));
      return { ...listField('runs', infosOf(runs as readonly Fields[])), ...rest };
    },
  };
}

async function allInfos(search: Fields, base: string, ask: Ask): Promise<readonly PythonJson[]> {
  const infos = await allPages('runs', MOST, async (token) => {
    const answer = await ask(postCall(`${base}runs/search`, { ...search, max_results: PAGE, ...token }));
    return { ...answer, runs: infosOf((answer.runs ?? []) as readonly Fields[]) };
  });
  // A run that is created between two pages moves others into the next.
  return [...new Map(infos.map((info) => [(info as Fields).run_id, info])).values()];
}

/** Old infos have the name in `name`. */
const infosOf = (runs: readonly Fields[]): readonly PythonJson[] =>
  runs.map(({ info }) => {
    const { run_name: name } = info as Fields;
    return { ...(info as Fields), ...(name !== undefined && { name }) };
  });
