import { setTimeout as sleep } from 'node:timers/promises';
import { createElasticsearchIndex } from '../adapters/elasticsearch/index.ts';
import { startGateway, waitForIndex } from '../test/fixtures/gateway-process.ts';
import { createExperiments } from '../test/fuzz/load-runs.ts';
import { Random } from '../test/fuzz/random.ts';
import { startElasticsearch } from '../test/services/elasticsearch.ts';
import { startMlflow } from '../test/services/mlflow.ts';
import { gatewayEnv } from './gateway-env.ts';
import { makeRuns } from './make-runs.ts';
import type { BenchOptions } from './options.ts';
import { SEARCH_SHAPES, type SearchShape } from './search-shapes.ts';
import { checkSame, openSides, type Sides } from './search-sides.ts';
import { percentile } from './statistics.ts';
import { withServices } from './with-services.ts';

/** Times in ms. */
export interface Percentiles {
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
}

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

type Say = (line: string) => void;

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
  const asks = {
    gateway: () => sides.askGateway(question.gateway),
    raw: () => sides.askRaw(question.raw),
    decoded: async () => JSON.parse((await sides.askRaw(question.raw)).toString()),
  };
  const times = await timeInTurns(asks, samples);
  const [gateway, raw, decoded] = [times.gateway, times.raw, times.decoded].map(percentilesOf);
  return { name: shape.name, rows, gateway, raw, decoded } as SearchResult;
}

type Contest = 'gateway' | 'raw' | 'decoded';

/** Times in ms. Each turn has an order of its own, so that none always runs on what the same other left behind. */
async function timeInTurns(asks: Record<Contest, () => Promise<unknown>>, samples: number) {
  const times: Record<Contest, number[]> = { gateway: [], raw: [], decoded: [] };
  const names = Object.keys(times) as Contest[];
  const random = new Random(1);
  for (let i = -WARM_UP; i < samples; i++) {
    for (const name of random.some(names, names.length)) {
      const start = performance.now();
      await asks[name]();
      if (i >= 0) times[name].push(performance.now() - start);
    }
  }
  return times;
}

const percentilesOf = (times: readonly number[]): Percentiles => ({
  p50: percentile(times, 0.5),
  p95: percentile(times, 0.95),
  p99: percentile(times, 0.99),
});
