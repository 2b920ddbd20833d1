import type { GatewayProcess } from '../test/fixtures/gateway-process.ts';
import { createExperiments } from '../test/fuzz/load-runs.ts';
import { startElasticsearch } from '../test/services/elasticsearch.ts';
import { startMlflow } from '../test/services/mlflow.ts';
import { startRedis } from '../test/services/redis.ts';
import { alternate } from './alternate.ts';
import { openConnection } from './connection.ts';
import { loadIndex } from './load-index.ts';
import { makeRuns } from './make-runs.ts';
import { openCacheGateway } from './open-cache-gateway.ts';
import { openIndexGateway } from './open-index-gateway.ts';
import type { BenchOptions } from './options.ts';
import { type Say, withProgress } from './progress.ts';
import type { RecordedRequest } from './recorder.ts';
import { checkSameAnswers } from './same-runs.ts';
import { CLIENTS, loadSearches, ROUNDS, type SearchLoad, summarizeLoad } from './search-load.ts';
import { toRequest, toSearch } from './search-request.ts';
import { SEARCH_SHAPES } from './search-shapes.ts';
import { type Open, withServices } from './with-services.ts';

/** How many processes. */
type Workers = 'one' | 'two';

export interface WorkersResult {
  readonly clients: number;
  readonly searches: number;
  readonly rounds: number;
  /** Without a cache. */
  readonly index: Readonly<Record<Workers, SearchLoad>>;
  /** From a cache in Redis. */
  readonly hits: Readonly<Record<Workers, SearchLoad>>;
}

const EXPERIMENTS = 20;
const COUNTS: Readonly<Record<Workers, string>> = { one: '1', two: '2' };

/** 16 clients that search through one process and through two: answers from an index, and from a cache in Redis. */
export const benchWorkers = ({ runs, seconds, profile }: BenchOptions, say: Say): Promise<WorkersResult> =>
  withServices(async (open) => {
    const [elasticsearch, mlflow, redis] = await Promise.all([
      open(startElasticsearch({ heapMb: 2_048 })),
      open(startMlflow()),
      open(startRedis()),
    ]);
    const experimentIds = await createExperiments(mlflow.url, EXPERIMENTS, 'bench');
    const requests = SEARCH_SHAPES.filter(({ skipPages = 0 }) => skipPages === 0).map((shape) =>
      toRequest(toSearch(shape, experimentIds)),
    );

    /** With an index and claims in Redis of its own. */
    async function openIndexed(workers: Workers): Promise<GatewayProcess> {
      const index = `bench-workers-${workers}`;
      const gateway = await openIndexGateway(
        open,
        { mlflowUrl: mlflow.url, elasticsearchUrl: elasticsearch.url, index, experimentIds, profile },
        { GATEWAY_WORKERS: COUNTS[workers], GATEWAY_REDIS_URL: redis.url, GATEWAY_REDIS_KEY_PREFIX: index },
      );
      await loadIndex(elasticsearch.url, index, withProgress(makeRuns(runs, experimentIds), index, say));
      return gateway;
    }

    const openCached = (workers: Workers): Promise<GatewayProcess> =>
      openCacheGateway(open, {
        store: 'redis',
        args: ['--upstream', gateways.one.url, '--redis', redis.url],
        profile,
        env: { GATEWAY_WORKERS: COUNTS[workers], GATEWAY_REDIS_KEY_PREFIX: `bench-hits-${workers}` },
      });

    const gateways = { one: await openIndexed('one'), two: await openIndexed('two') };
    // What they store is what the index answers: MLflow itself has none of these runs.
    const caches = { one: await openCached('one'), two: await openCached('two') };
    for (const request of requests) {
      await checkSame(open, [gateways.one, gateways.two, caches.one, caches.two], request);
    }
    const load =
      ({ url }: GatewayProcess) =>
      () =>
        loadSearches({ url, requests, seconds });
    say(`${CLIENTS} clients: ${ROUNDS} rounds of ${seconds} s each`);
    const index = await alternate({ one: load(gateways.one), two: load(gateways.two) }, ROUNDS);
    const hits = await alternate({ one: load(caches.one), two: load(caches.two) }, ROUNDS);
    const result = {
      ...{ clients: CLIENTS, searches: requests.length, rounds: ROUNDS },
      index: { one: summarizeLoad(index.one), two: summarizeLoad(index.two) },
      hits: { one: summarizeLoad(hits.one), two: summarizeLoad(hits.two) },
    };
    const isAllHits = [result.hits.one, result.hits.two].every(({ cacheShare }) => cacheShare === 1);
    if (!isAllHits) throw new Error('Not all answers of the caches were hits.');
    return result;
  });

/** @throws Error when one of them gives another answer than the first. */
async function checkSame(open: Open, [first, ...others]: readonly GatewayProcess[], request: RecordedRequest) {
  const ask = async (gateway: GatewayProcess) => (await openConnection(open, gateway.url))(request);
  if (!first) return;
  const truth = await ask(first);
  for (const other of others) checkSameAnswers(truth, await ask(other));
}
