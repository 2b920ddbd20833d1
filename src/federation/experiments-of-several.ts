import { RawJson } from '../domain/json-text.ts';
import type { Experiment } from '../domain/run.ts';
import type { FindExperiments, FoundExperiment } from '../http/embedded/search-endpoints.ts';
import { BackendAnswer } from '../plan/backend-answer.ts';
import type { SearchExperiments } from '../plan/search-experiments.ts';
import { evaluateExperiment } from '../query/evaluate.ts';
import { EXPERIMENT_FIELDS, type FieldTable } from '../query/fields.ts';
import { printFilter } from '../query/print.ts';
import type { Requester } from '../upstream/upstream-client.ts';
import { EXPERIMENT, TAGS } from './id-table.ts';
import { itemsOf } from './json-scan.ts';
import type { Lane, Lanes } from './lane.ts';
import { rewriteJson } from './rewrite-json.ts';
import { USUAL_DIALECT } from './runs-of-several.ts';
import type { Several } from './several.ts';
import { translateExperimentFilter } from './translate-filter.ts';

/** As MLflow has them, with ids of any backend. */
export const FIELDS_OF_SEVERAL: FieldTable = {
  ...EXPERIMENT_FIELDS,
  experimentId: /^(?:[a-z0-9]+-)?(?:0|[1-9]\d{0,17})$/,
};

/** What MLflow gives at once. */
const MAX_PAGE = 50_000;

/**
 * The experiments of all backends, by the ids and names of outside. Of each lane all are read that satisfy what it can be asked
 * for: there are few, and its cache has them.
 */
export function experimentsOfSeveral(
  lanes: Lanes,
  openSearch: (client: Requester) => SearchExperiments,
  several: Several,
): FindExperiments {
  return async ({ filter, view }, _call, signal) => {
    const found = await Promise.all(
      [...lanes.values()].map(async (lane, position) => {
        const { findsNothing, native, rest } = translateExperimentFilter(filter, lane.translation);
        if (findsNothing) return [];
        const ask = openSearch(several.clientOf(lane));
        const texts = await several.ask(lane, [], signal, (inTime) =>
          readAll(ask, { filter: printFilter(native), orderBy: [], view, maxResults: MAX_PAGE }, inTime),
        );
        const dialect = lane.dialect() ?? USUAL_DIALECT;
        return texts
          .map((text) => readExperiment(text, lane, position))
          .filter(({ experiment }) => !rest || evaluateExperiment(rest, experiment, dialect));
      }),
    );
    return found.flat();
  };
}

/** @throws BackendAnswer for what is no list of experiments; GatewayError when there is no answer */
async function readAll(
  ask: SearchExperiments,
  search: Omit<Parameters<SearchExperiments>[0], 'pageToken'>,
  signal: AbortSignal,
): Promise<string[]> {
  const all: string[] = [];
  for (let pageToken = ''; ; ) {
    const { status, contentType, body } = await ask({ ...search, pageToken }, signal);
    if (status !== 200 || !contentType.startsWith('application/json'))
      throw new BackendAnswer(status, contentType, body);
    const text = body.toString('utf8');
    all.push(...itemsOf(text, 'experiments'));
    const { next_page_token: next } = JSON.parse(text) as { next_page_token?: string };
    if (!next) return all;
    pageToken = next;
  }
}

interface WireExperiment {
  readonly experiment_id: string;
  readonly name: string;
  readonly lifecycle_stage: string;
  readonly creation_time?: number;
  readonly last_update_time?: number;
  readonly tags?: readonly { readonly key: string; readonly value?: string }[];
}

const timeOf = (time: number | undefined) => (time === undefined ? undefined : BigInt(time));

function readExperiment(text: string, { translation }: Lane, position: number): FoundExperiment {
  const { outward } = translation;
  const wire = JSON.parse(text) as WireExperiment;
  const experiment: Experiment = {
    // Numbers of different backends say nothing of each other: one backend's come after another's.
    experimentId: (BigInt(position) << 64n) + BigInt(wire.experiment_id),
    name: outward.name(wire.name),
    lifecycleStage: wire.lifecycle_stage === 'deleted' ? 'deleted' : 'active',
    creationTime: timeOf(wire.creation_time),
    lastUpdateTime: timeOf(wire.last_update_time),
    tags: new Map(wire.tags?.map(({ key, value = '' }) => [key, value])),
  };
  const rewriting = { replace: (kind: keyof typeof outward, id: string) => outward[kind](id), tags: TAGS };
  return { experiment, present: () => new RawJson(rewriteJson(text, EXPERIMENT, rewriting)) };
}
