import { SETTINGS } from '../src/config/settings.ts';
import { affordableSamples } from './affordable-samples.ts';
import { collationDecides } from './collation-decides.ts';
import type { CacheSide, MlflowSides } from './mlflow-sides.ts';
import type { RecordedRequest } from './recorder.ts';
import { repeatUntil } from './repeat-until.ts';
import { checkSameAnswers, countRuns } from './same-runs.ts';
import { toRequest, turnPages } from './search-request.ts';
import type { SearchShape } from './search-shapes.ts';
import type { SourcedConnection } from './sourced-connection.ts';
import { type Percentiles, percentilesOf } from './statistics.ts';
import { timeInTurns } from './time-in-turns.ts';

export interface MlflowSearch {
  readonly name: string;
  readonly rows: number;
  readonly answerBytes: number;
  /** Who gave the answer of the gateway without cache: MLflow where its database's collation decides. */
  readonly source: 'index' | 'backend';
  readonly mlflow: Percentiles & { readonly samples: number };
  readonly gateway: Percentiles;
  /** Hits; undefined where the answer is longer than a cache takes. */
  readonly memory: Percentiles | undefined;
  readonly redis: Percentiles | undefined;
  /** The same bytes from Express alone. */
  readonly bare: Percentiles | undefined;
}

/** A search that was compared, and what was asked. */
export interface Compared {
  readonly shape: SearchShape;
  readonly search: MlflowSearch;
  readonly request: RecordedRequest;
}

const WARM_UP = 100;
const MAX_ENTRY_BYTES = Number(SETTINGS.find(({ path }) => path === 'cache.maxEntryBytes')?.default);

/**
 * Times a search put to MLflow, to a gateway that answers it from its index, and to gateways that have the answer in a cache.
 * @throws Error when the answers differ, or come from elsewhere.
 */
export async function compareWithMlflow(
  { mlflow, gateway, caches, bare }: MlflowSides,
  shape: SearchShape,
  experimentIds: readonly string[],
  samples: number,
): Promise<Compared> {
  const { request, truth, answer } = await checkShape({ mlflow, gateway }, shape, experimentIds);
  const source = sourceOf(gateway.takeSources(), shape);
  const isStored = answer.length <= MAX_ENTRY_BYTES;
  if (isStored) for (const cache of Object.values(caches)) checkSameAnswers(truth, await fillCache(cache, request));

  await bare.answerWith(answer);
  const ofMlflow = await affordableSamples(() => mlflow(request), samples);
  const ofGateway = source === 'index' ? samples : ofMlflow;
  const ofCaches = isStored ? samples : 0;
  const timed = (ask: MlflowSides['mlflow'], count: number) => ({
    ask: () => ask(request),
    samples: count,
    warmUp: Math.min(WARM_UP, Math.floor(count / 3)),
  });
  const times = await timeInTurns({
    // Twice it was asked already.
    mlflow: { ...timed(mlflow, ofMlflow), warmUp: Math.floor(ofMlflow / 10) },
    gateway: timed(gateway.ask, ofGateway),
    memory: { ...timed(caches.memory.ask, ofCaches), counts: isHit(caches.memory) },
    redis: { ...timed(caches.redis.ask, ofCaches), counts: isHit(caches.redis) },
    bare: timed(bare, ofCaches),
  });
  checkSources(gateway, source);
  const search = {
    ...{ name: shape.name, rows: countRuns(answer), answerBytes: answer.length, source },
    mlflow: { ...percentilesOf(times.mlflow), samples: ofMlflow },
    gateway: percentilesOf(times.gateway),
    memory: isStored ? percentilesOf(times.memory) : undefined,
    redis: isStored ? percentilesOf(times.redis) : undefined,
    bare: isStored ? percentilesOf(times.bare) : undefined,
  };
  return { shape, search, request };
}

/** Puts a search to MLflow and the gateway. @throws Error when they differ, or find nothing. */
export async function checkShape(
  { mlflow, gateway }: Pick<MlflowSides, 'mlflow' | 'gateway'>,
  shape: SearchShape,
  experimentIds: readonly string[],
) {
  // MLflow reads the page tokens of the gateway: one request for all.
  const request = toRequest(await turnPages(gateway.ask, shape, experimentIds));
  const truth = await mlflow(request);
  if (countRuns(truth) === 0) throw new Error('No run was found.');
  gateway.takeSources();
  const answer = await gateway.ask(request);
  checkSameAnswers(truth, answer);
  return { request, truth, answer };
}

const isHit =
  ({ takeSources }: CacheSide) =>
  () =>
    takeSources().join() === 'cache';

function checkSources({ takeSources }: SourcedConnection, expected: string): void {
  const sources = takeSources().join(' and ');
  if (sources !== expected) throw new Error(`Answers came from ${sources}, not all from ${expected}.`);
}

function sourceOf([source]: readonly string[], shape: SearchShape): MlflowSearch['source'] {
  if (source === 'index' || (source === 'backend' && collationDecides(shape, 'postgresql-c'))) return source;
  throw new Error(`The gateway answered from ${source}.`);
}

/** Asks until the answer is a stored one; gives it. */
async function fillCache(cache: CacheSide, request: RecordedRequest): Promise<Buffer> {
  cache.takeSources();
  return (await repeatUntil(() => cache.ask(request), isHit(cache))).answer;
}
