import { jsonText, listOf, RawJson } from '../../src/domain/json-text.ts';
import type { Experiment } from '../../src/domain/run.ts';
import { GatewayError } from '../../src/errors/gateway-error.ts';
import { BackendAnswer } from '../../src/plan/backend-answer.ts';
import type { HandOn } from '../../src/plan/read.ts';
import type { ExperimentSearch, SearchExperiments } from '../../src/plan/search-experiments.ts';
import { evaluateExperiment } from '../../src/query/evaluate.ts';
import { FilterSyntaxError } from '../../src/query/filter-syntax-error.ts';
import { compareExperiments, totalExperimentOrder } from '../../src/query/order-experiments.ts';
import { readPageOffset, writePageOffset } from '../../src/query/page-offset.ts';
import { parseExperimentFilter } from '../../src/query/parse-filter.ts';
import { parseExperimentOrder } from '../../src/query/parse-order.ts';
import type { Requester } from '../../src/upstream/upstream-client.ts';
import { jsonOf, postText } from './ask.ts';
import { experimentOf } from './normalise-answer.ts';
import { type Fields, int64Of, objectsOf, parseObject, textOf } from './wire-json.ts';

/** No source says that more is taken. */
const MAX_PAGE = 1_000;

/**
 * Searches the experiments of a workspace as MLflow would. All of them are read and judged here: little is documented of
 * Azure's own filters and orders, and experiments are few.
 * @throws from the search BackendAnswer, and GatewayError when there is no answer
 */
export const createExperimentSearch =
  (client: Requester): SearchExperiments =>
  async (search, signal) => {
    const { isWanted, compare, offset } = understand(search);
    const all = await readExperiments(client, search, signal);
    const found = all
      .filter(({ experiment }) => isWanted(experiment))
      .sort((a, b) => compare(a.experiment, b.experiment));
    const start = Math.max(0, Number(offset));
    const end = start + search.maxResults;
    const body = jsonText({
      experiments: listOf(found.slice(start, end).map(({ json }) => new RawJson(json))),
      next_page_token: found.length > end ? writePageOffset(offset + BigInt(search.maxResults)) : undefined,
    });
    return { status: 200, contentType: 'application/json', body: Buffer.from(body), source: 'backend' };
  };

/** Why a search is left to Azure; undefined when it is understood. */
export function obstacleTo(search: ExperimentSearch): HandOn | undefined {
  try {
    understand(search);
    return undefined;
  } catch (error) {
    if (error instanceof FilterSyntaxError || error instanceof GatewayError) return { handOn: error.message };
    throw error;
  }
}

/** @throws FilterSyntaxError for what is no filter or order; GatewayError for what is no page token */
function understand({ filter, orderBy, view, pageToken }: ExperimentSearch) {
  const wanted = parseExperimentFilter(filter);
  const isWanted = (experiment: Experiment) =>
    (view === 'all' || experiment.lifecycleStage === view) &&
    (!wanted || evaluateExperiment(wanted, experiment, 'sqlite'));
  const compare = compareExperiments(totalExperimentOrder(parseExperimentOrder(orderBy)));
  return { isWanted, compare, offset: readPageOffset(pageToken) };
}

interface Listed {
  readonly json: string;
  readonly experiment: Experiment;
}

const VIEW_TYPE = { active: 'ACTIVE_ONLY', deleted: 'DELETED_ONLY', all: 'ALL' } as const;

async function readExperiments(client: Requester, { view }: ExperimentSearch, signal: AbortSignal): Promise<Listed[]> {
  const listed: Listed[] = [];
  let token: string | undefined;
  do {
    const asked = { view_type: VIEW_TYPE[view], max_results: MAX_PAGE, page_token: token };
    const answer = await postText(client, 'experiments/search', JSON.stringify(asked), signal);
    const page = parseObject(jsonOf(answer));
    listed.push(...objectsOf(page.experiments).map(toListed));
    const next = textOf(page.next_page_token) || undefined;
    if (next !== undefined && next === token)
      throw new BackendAnswer(502, 'text/plain', Buffer.from('Azure ML gives the same page of experiments again.'));
    token = next;
  } while (token !== undefined);
  return listed;
}

/** @throws SyntaxError for what has no id */
function toListed(fields: Fields): Listed {
  const stage = textOf(fields.lifecycle_stage);
  const experiment: Experiment = {
    experimentId: textOf(fields.experiment_id) ?? '',
    name: textOf(fields.name) ?? '',
    lifecycleStage: stage === 'deleted' ? 'deleted' : 'active',
    creationTime: int64Of(fields.creation_time),
    lastUpdateTime: int64Of(fields.last_update_time),
    tags: new Map(objectsOf(fields.tags).map(({ key, value }) => [textOf(key) ?? '', textOf(value) ?? ''])),
  };
  return { json: jsonText(experimentOf(fields)), experiment };
}
