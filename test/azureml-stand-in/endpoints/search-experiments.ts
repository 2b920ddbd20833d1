import { emptyError, refusal } from '../azure-error.ts';
import { checkExperimentFilter } from '../filter/check-experiment-filter.ts';
import { holds, type Lookup } from '../filter/evaluate.ts';
import { parseFilter } from '../filter/parse.ts';
import { type Experiment, presentExperiment } from '../present-experiment.ts';
import { shuffle } from '../run-order.ts';
import type { Endpoint, Workspace } from '../workspace.ts';
import { isUnseen } from './experiments.ts';
import { listIn, textIn } from './fields.ts';

/** As that of runs: all are read from MLflow, filtered, ordered and cut into pages here. */
export const searchExperiments: Endpoint = async ({ body }, workspace) => {
  const text = textIn(body.filter);
  const asked = { text, orderBy: listIn(body.order_by, 'order_by'), view: body.view_type ?? 'ACTIVE_ONLY' };
  const token = textIn(body.page_token);
  const filter = checkExperimentFilter(parseFilter(text), text, workspace.rules);
  const order = asked.orderBy.map(orderKey);
  const all = await readExperiments(asked.view, workspace);
  const byId = new Map(all.map((experiment) => [experiment.experiment_id, experiment]));
  const find = () => all.filter((experiment) => holds(filter, valuesOf(experiment), workspace.rules));
  const ids = token
    ? workspace.pageTokens.idsAfter(token, asked)
    : sortExperiments(find(), order, workspace).map(({ experiment_id }) => experiment_id);
  const page = workspace.pageTokens.cut(ids, body.max_results, asked);
  return { experiments: page.ids.flatMap((id) => byId.get(id) ?? []), next_page_token: page.nextToken };
};

/** Of clients of MLflow 1, which call v1.0. */
export const listExperiments: Endpoint = async ({ query, version }, workspace) => {
  if (version !== 'v1.0') throw emptyError(404);
  return { experiments: await readExperiments(query.get('view_type') ?? 'ACTIVE_ONLY', workspace) };
};

async function readExperiments(view: unknown, workspace: Workspace): Promise<Experiment[]> {
  const found: Experiment[] = [];
  for (let token: string | undefined = ''; token !== undefined; ) {
    const search = { max_results: 10_000, view_type: view, page_token: token };
    const page: { experiments?: Experiment[]; next_page_token?: string } = await workspace.mlflow.post(
      'experiments/search',
      search,
    );
    found.push(...(page.experiments ?? []));
    token = page.next_page_token || undefined;
  }
  return found.filter(({ name }) => !isUnseen(name, workspace)).map(presentExperiment);
}

const valuesOf =
  (experiment: Experiment): Lookup =>
  ({ entity, key }) => {
    const value =
      entity === 'tags' ? experiment.tags?.find((tag) => tag.key === key)?.value : experiment[key as OrderKey['key']];
    if (value === undefined) return [];
    return [key.endsWith('_time') && entity !== 'tags' ? Number(value) : value];
  };

interface OrderKey {
  readonly key: 'experiment_id' | 'name' | 'creation_time' | 'last_update_time';
  readonly descending: boolean;
}

function orderKey(clause: unknown): OrderKey {
  const match =
    typeof clause === 'string'
      ? /^(?:attributes?\.)?(experiment_id|name|creation_time|last_update_time)(?:\s+(ASC|DESC))?$/i.exec(clause.trim())
      : null;
  if (!match) throw refusal(`Invalid order_by clause '${clause}'.`);
  return { key: match[1] as OrderKey['key'], descending: match[2]?.toUpperCase() === 'DESC' };
}

const NEWEST_FIRST: readonly OrderKey[] = [{ key: 'creation_time', descending: true }];

function sortExperiments(found: readonly Experiment[], asked: readonly OrderKey[], { random }: Workspace) {
  const order = asked.length > 0 ? asked : NEWEST_FIRST;
  return shuffle(found, random).sort((a, b) => {
    for (const { key, descending } of order) {
      const difference = key.endsWith('_time')
        ? Number(a[key] ?? 0) - Number(b[key] ?? 0)
        : (a[key] ?? '') < (b[key] ?? '')
          ? -1
          : Number(a[key] !== b[key]);
      if (difference !== 0) return descending ? -difference : difference;
    }
    return 0;
  });
}
