import { setTimeout as sleep } from 'node:timers/promises';
import { createElasticsearchIndex } from '../adapters/elasticsearch/index.ts';
import { startGateway, waitForIndex } from '../test/fixtures/gateway-process.ts';
import { createExperiments } from '../test/fuzz/load-runs.ts';
import { startElasticsearch } from '../test/services/elasticsearch.ts';
import { startMlflow } from '../test/services/mlflow.ts';
import { gatewayEnv } from './gateway-env.ts';
import { makeRuns } from './make-runs.ts';
import type { BenchOptions } from './options.ts';
import type { Say } from './progress.ts';
import { SEARCH_SHAPES, type SearchShape } from './search-shapes.ts';
import { checkSame, openSides, type Sides } from './search-sides.ts';
import { type Percentiles, percentilesOf } from './statistics.ts';
import { timeInTurns } from './time-in-turns.ts';
import { withServices } from './with-services.ts';

export interface SearchResult {
  readonly name: string;
  readonly rows: number;
  /** Through the gateway, to the last byte. */
  readonly gateway: Percentiles;
  /** The very request that the gateway's adapter makes, to the last byte. */
  readonly raw: Percentiles;
  /** The same with the answer parsed: what any program needs that goes on working with it. */
  readonly decoded: Percentiles;
}

const EXPERIMENTS = 20;
const WARM_UP = 100;
const INDEX = 'bench-runs';
const BATCH = 1_000;

/** Searches through a gateway without cache, and the same query sent raw to Elasticsearch, in turns. */
export const benchSearch = (options: BenchOptions, say: Say): Promise<SearchResult[]> =>
  withServices(async (open) => {
    const [elasticsearch, mlflow] = await Promise.all([
      open(startElasticsearch({ heapMb: 2_048 })),
      open(startMlflow()),
    ]);
    const experimentIds = await createExperiments(mlflow.url, EXPERIMENTS, 'bench');
    const gateway = await open(
      startGateway(['--upstream', mlflow.url, '--elasticsearch', elasticsearch.url], {
        ...gatewayEnv(options.profile),
        GATEWAY_ELASTICSEARCH_INDEX: INDEX,
      }),
    );
    // The gateway copies the experiments while they are empty; their runs then go straight into the index, since
    // MLflow would take hours to create as many.
    await waitForIndex(gateway, experimentIds);
    await load(elasticsearch.url, makeRuns(options.runs, experimentIds), say);
    const sides = await openSides(open, { gatewayUrl: gateway.url, elasticsearchUrl: elasticsearch.url, index: INDEX });
    const results: SearchResult[] = [];
    for (const shape of SEARCH_SHAPES) {
      say(`Search: ${shape.name}`);
      results.push(await measure(sides, shape, experimentIds, options.samples));
    }
    return results;
  });

async function load(url: string, runs: Iterable<string>, say: Say): Promise<void> {
  const index = createElasticsearchIndex({ url, index: INDEX, timeoutMs: 60_000 });
  try {
    await index.prepare();
    let batch: string[] = [];
    let written = 0;
    const flush = async () => {
      written += (await index.write(batch, await index.nextVersion())).written;
      if (written % 20_000 === 0) say(`${written} runs in the index`);
      batch = [];
    };
    for (const run of runs) if (batch.push(run) === BATCH) await flush();
    await flush();
    await index.refresh();
    await settled(url);
  } finally {
    await index.close();
  }
}

/** Until Elasticsearch has merged what it wants to merge: it would take turns with the searches that are timed. */
async function settled(url: string): Promise<void> {
  for (;;) {
    const answer = await fetch(`${url}/${INDEX}/_stats/merge`);
    const { _all } = (await answer.json()) as { _all: { total: { merges: { current: number } } } };
    if (_all.total.merges.current === 0) return;
    await sleep(500);
  }
}

async function measure(sides: Sides, shape: SearchShape, experimentIds: readonly string[], samples: number) {
  const question = await sides.question(shape, experimentIds);
  const rows = await checkSame(sides, question);
  const timed = (ask: () => Promise<unknown>) => ({ ask, samples, warmUp: WARM_UP });
  const times = await timeInTurns({
    gateway: timed(() => sides.askGateway(question.gateway)),
    raw: timed(() => sides.askRaw(question.raw)),
    decoded: timed(async () => JSON.parse((await sides.askRaw(question.raw)).toString())),
  });
  const [gateway, raw, decoded] = [times.gateway, times.raw, times.decoded].map(percentilesOf);
  return { name: shape.name, rows, gateway, raw, decoded } as SearchResult;
}
