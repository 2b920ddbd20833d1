import { createExperiments } from '../test/fuzz/load-runs.ts';
import { startElasticsearch } from '../test/services/elasticsearch.ts';
import { startMlflow } from '../test/services/mlflow.ts';
import { startPostgresql } from '../test/services/postgresql.ts';
import { startRedis } from '../test/services/redis.ts';
import { type Compared, checkShape, compareWithMlflow, type MlflowSearch } from './compare-with-mlflow.ts';
import { loadIndex } from './load-index.ts';
import { loadMlflow } from './load-mlflow.ts';
import { makeRuns } from './make-runs.ts';
import { loadMlflowAndGateway, MLFLOW_WORKERS, type MlflowLoad } from './mlflow-load.ts';
import { openMlflowSides } from './mlflow-sides.ts';
import type { CacheStore } from './open-cache-gateway.ts';
import { openIndexGateway } from './open-index-gateway.ts';
import type { BenchOptions } from './options.ts';
import { peakMemoryMiB } from './process-memory.ts';
import { type Say, withProgress } from './progress.ts';
import { INDEX_SHAPES } from './search-shapes.ts';
import { withServices } from './with-services.ts';

export interface MlflowResult {
  readonly collation: string;
  readonly searches: readonly MlflowSearch[];
  readonly load: MlflowLoad;
  /** Of the gateway without cache and of those with one, all together. */
  readonly peakMemoryMiB: Readonly<Record<'index' | CacheStore, number>>;
}

const EXPERIMENTS = 20;
const INDEX = 'bench-mlflow';
/** Of the database: by code point. The other one that the test services know sorts as people do, and is slower. */
const COLLATION = 'C.UTF-8';
const ENV: NodeJS.ProcessEnv = {
  GATEWAY_DIALECT: 'postgresql-c',
  // The default: tests are more patient.
  GATEWAY_FEED_READY_TIMEOUT_MS: '2000',
};

/** The gateway before an MLflow server over PostgreSQL, and that server asked directly, with the same runs, in turns. */
export const benchMlflow = ({ runs, samples, seconds, profile }: BenchOptions, say: Say): Promise<MlflowResult> =>
  withServices(async (open) => {
    const [postgresql, elasticsearch, redis] = await Promise.all([
      open(startPostgresql({ collation: COLLATION })),
      open(startElasticsearch({ heapMb: 2_048 })),
      open(startRedis()),
    ]);
    const mlflow = await open(startMlflow({ backendStoreUri: postgresql.url, workers: MLFLOW_WORKERS }));
    const [otherExperimentId = '', ...experimentIds] = await createExperiments(mlflow.url, EXPERIMENTS + 1, 'bench');
    const gateway = await openIndexGateway(
      open,
      {
        ...{ mlflowUrl: mlflow.url, elasticsearchUrl: elasticsearch.url, index: INDEX },
        ...{ experimentIds: [otherExperimentId, ...experimentIds], profile },
      },
      ENV,
    );
    const made = (where: string) => withProgress(makeRuns(runs, experimentIds), where, say);
    await loadMlflow(postgresql.url, made('MLflow'));
    await loadIndex(elasticsearch.url, INDEX, made('the index'));
    const urls = { mlflow: mlflow.url, gateway: gateway.url, redis: redis.url };
    const sides = await openMlflowSides(open, urls, profile);
    const compared: Compared[] = [];
    for (const shape of INDEX_SHAPES) {
      say(`Search: ${shape.name}`);
      compared.push(await compareWithMlflow(sides, shape, experimentIds, samples));
    }
    const mix = compared.filter(({ search }) => isInMix(search));
    const load = await loadMlflowAndGateway(
      {
        ...{ mlflowUrl: mlflow.url, gatewayUrl: gateway.url, requests: mix.map(({ request }) => request) },
        ...{ experimentIds, otherExperimentId, seconds },
      },
      say,
    );
    say('Comparing the answers again, after the writes');
    for (const { shape } of mix) await checkShape(sides, shape, experimentIds);
    return {
      collation: COLLATION,
      searches: compared.map(({ search }) => search),
      load,
      peakMemoryMiB: {
        index: peakMemoryMiB(gateway.process.pid as number),
        memory: sides.caches.memory.peakMemoryMiB(),
        redis: sides.caches.redis.peakMemoryMiB(),
      },
    };
  });

/** A page that is ten times as long as the others would be the slowest of them, whatever the load. */
const isInMix = ({ source, rows }: MlflowSearch): boolean => source === 'index' && rows <= 100;
