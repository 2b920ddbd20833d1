import { type JsonSource, jsonText, listOf } from '../../domain/json-text.ts';
import { isInt64, pythonInteger } from '../../domain/python-numbers.ts';
import type { Experiment } from '../../domain/run.ts';
import type { HandOn, PlannedRead } from '../../plan/read.ts';
import type { RunSearch } from '../../plan/search-runs.ts';
import type { StoredExperiment } from '../../plan/tracking-store.ts';
import type { Filter } from '../../query/ast.ts';
import { checkDatabaseInteger } from '../../query/database-integer.ts';
import { evaluateExperiment } from '../../query/evaluate.ts';
import type { FieldTable } from '../../query/fields.ts';
import { FilterSyntaxError } from '../../query/filter-syntax-error.ts';
import { compareExperiments, totalExperimentOrder } from '../../query/order-experiments.ts';
import { readPageOffset, writePageOffset } from '../../query/page-offset.ts';
import { parseExperimentFilter } from '../../query/parse-filter.ts';
import { parseExperimentOrder } from '../../query/parse-order.ts';
import { refuseExperimentSearch } from '../../query/refusal/refuse-experiment-search.ts';
import { refuseRunSearch } from '../../query/refusal/refuse-run-search.ts';
import type { View } from '../../query/run-query.ts';
import type { CallStore, EmbeddedEndpoint } from './endpoints.ts';
import type { Message } from './fill-message.ts';
import { presentExperiment } from './present.ts';
import { readRequest } from './read-request.ts';
import { text } from './requests.ts';

const VIEWS: readonly View[] = ['active', 'active', 'deleted', 'all'];
const viewOf = (message: Message, name: string): View => VIEWS[Number(message[name] ?? 1n)] ?? 'active';
const texts = (message: Message, name: string) => (message[name] as string[] | undefined) ?? [];

/** MLflow's default page of runs. */
const RUNS_A_PAGE = 1_000n;

/** What an experiment's id is in a search; undefined for none. */
export type ReadExperimentId = (id: string) => string | undefined;

/** MLflow's own: an integer of 64 bits, as Python reads it. */
export function decimalId(id: string): string | undefined {
  const integer = pythonInteger(id);
  return integer !== undefined && isInt64(integer) ? String(integer) : undefined;
}

/**
 * Answers `runs/search` whole: what `plan` understands it finds, the rest it refuses in MLflow's words.
 * @throws GatewayError; ServerFault
 */
export const createRunSearchEndpoint = (
  plan: (search: RunSearch) => PlannedRead | HandOn,
  readId: ReadExperimentId = decimalId,
): EmbeddedEndpoint => ({
  method: 'POST',
  async answer(request, _call, signal) {
    const message = readRequest('runs/search', request);
    const asked = {
      experimentIds: texts(message, 'experiment_ids'),
      filter: text(message, 'filter'),
      orderBy: texts(message, 'order_by'),
      maxResults: Number(message.max_results ?? RUNS_A_PAGE),
      pageToken: text(message, 'page_token'),
    };
    const ids = asked.experimentIds.flatMap((id) => readId(id) ?? []);
    // What is wrong is said of those ids alone that are none.
    const refusal = () =>
      refuseRunSearch({ ...asked, experimentIds: asked.experimentIds.filter((id) => readId(id) === undefined) });
    if (ids.length < asked.experimentIds.length || asked.maxResults < 1) throw refusal();
    const search = { ...asked, experimentIds: ids, view: viewOf(message, 'run_view_type') };
    const understood = plan(search);
    const planned = 'handOn' in understood ? plan({ ...search, pageToken: plainToken(asked.pageToken) }) : understood;
    if ('handOn' in planned) throw refusal();
    return (await planned.fetch(signal)).body;
  },
});

/** A page token as MLflow writes it, for one that MLflow reads as well; anything else as it is. */
function plainToken(token: string): string {
  try {
    const offset = readPageOffset(token);
    return isInt64(offset) ? writePageOffset(toSafeInteger(offset)) : token;
  } catch {
    return token;
  }
}

/** No answer has as many rows. */
const toSafeInteger = (offset: bigint) =>
  Math.max(Number.MIN_SAFE_INTEGER, Math.min(Number.MAX_SAFE_INTEGER, Number(offset)));

/** An experiment, and its JSON in an answer. */
export interface FoundExperiment {
  readonly experiment: Experiment;
  present(): JsonSource;
}

/** Which experiments are wanted. */
export interface ExperimentsWanted {
  readonly filter: Filter | undefined;
  readonly view: View;
}

/** Finds them, in any order. */
export type FindExperiments = (
  wanted: ExperimentsWanted,
  call: CallStore,
  signal: AbortSignal,
) => Promise<readonly FoundExperiment[]>;

/**
 * Answers `experiments/search` from all that satisfy it: there are few.
 * @param fields what filters may name
 * @throws GatewayError; ServerFault
 */
export const createExperimentSearchEndpoint = (find: FindExperiments, fields?: FieldTable): EmbeddedEndpoint => ({
  method: 'POST',
  alsoGet: true,
  async answer(request, call, signal) {
    const message = readRequest('experiments/search', request);
    const asked = {
      filter: text(message, 'filter'),
      orderBy: texts(message, 'order_by'),
      maxResults: Number(message.max_results ?? 0n),
      pageToken: text(message, 'page_token'),
    };
    if (asked.maxResults < 1 || asked.maxResults > 50_000) throw refuseExperimentSearch(asked);
    const { filter, compare } = understand(asked, fields);
    const offset = readPageOffset(asked.pageToken);
    checkDatabaseInteger(offset);
    const found = [...(await find({ filter, view: viewOf(message, 'view_type') }, call, signal))].sort((a, b) =>
      compare(a.experiment, b.experiment),
    );
    const start = Math.max(0, Number(offset));
    const end = start + asked.maxResults;
    return jsonText({
      experiments: listOf(found.slice(start, end).map((one) => one.present())),
      next_page_token: found.length > end ? writePageOffset(offset + BigInt(asked.maxResults)) : undefined,
    });
  },
});

/** The same over the gateway's own store. */
export const EXPERIMENT_SEARCH: EmbeddedEndpoint = createExperimentSearchEndpoint(async ({ filter, view }, call) =>
  (await call('listExperiments', undefined))
    .map((stored) => ({ experiment: toExperiment(stored), present: () => presentExperiment(stored) }))
    .filter(
      ({ experiment }) =>
        (view === 'all' || experiment.lifecycleStage === view) &&
        (!filter || evaluateExperiment(filter, experiment, 'sqlite')),
    ),
);

function understand(asked: Parameters<typeof refuseExperimentSearch>[0], fields: FieldTable | undefined) {
  try {
    const filter = parseExperimentFilter(asked.filter, fields);
    const order = totalExperimentOrder(parseExperimentOrder(asked.orderBy));
    return { filter, compare: compareExperiments(order) };
  } catch (error) {
    if (error instanceof FilterSyntaxError) throw refuseExperimentSearch(asked);
    throw error;
  }
}

const toExperiment = (stored: StoredExperiment): Experiment => ({
  experimentId: BigInt(stored.experimentId),
  name: stored.name,
  lifecycleStage: stored.stage,
  creationTime: stored.creationTime,
  lastUpdateTime: stored.lastUpdateTime,
  tags: new Map(stored.tags.map(({ key, value }) => [key, value])),
});
