import { createExperiments } from '../test/fuzz/load-runs.ts';
import { startElasticsearch } from '../test/services/elasticsearch.ts';
import { startMlflow } from '../test/services/mlflow.ts';
import { loadIndex } from './load-index.ts';
import { makeRuns } from './make-runs.ts';
import { measureSearch, type SearchResult } from './measure-search.ts';
import { openIndexGateway } from './open-index-gateway.ts';
import type { BenchOptions } from './options.ts';
import { type Say, withProgress } from './progress.ts';
import { SEARCH_SHAPES } from './search-shapes.ts';
import { openSides } from './search-sides.ts';
import { withServices } from './with-services.ts';

const EXPERIMENTS = 20;
const INDEX = 'bench-runs';

/** Searches through a gateway without cache, and the same query sent raw to Elasticsearch, in turns. */
export const benchSearch = ({ runs, samples, profile }: BenchOptions, say: Say): Promise<SearchResult[]> =>
  withServices(async (open) => {
    const [elasticsearch, mlflow] = await Promise.all([
      open(startElasticsearch({ heapMb: 2_048 })),
      open(startMlflow()),
    ]);
    const experimentIds = await createExperiments(mlflow.url, EXPERIMENTS, 'bench');
    const servers = { elasticsearchUrl: elasticsearch.url, index: INDEX };
    const gateway = await openIndexGateway(open, { ...servers, mlflowUrl: mlflow.url, experimentIds, profile });
    await loadIndex(elasticsearch.url, INDEX, withProgress(makeRuns(runs, experimentIds), 'the index', say));
    const sides = await openSides(open, { ...servers, gatewayUrl: gateway.url });
    const results: SearchResult[] = [];
    for (const shape of SEARCH_SHAPES) {
      say(`Search: ${shape.name}`);
      results.push(await measureSearch(sides, shape, experimentIds, samples));
    }
    return results;
  });
