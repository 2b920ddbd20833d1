import type { GatewayProcess } from '../test/fixtures/gateway-process.ts';
import { createExperiments } from '../test/fuzz/load-runs.ts';
import { startElasticsearch } from '../test/services/elasticsearch.ts';
import { startMlflow } from '../test/services/mlflow.ts';
import { openIndexGateway } from './open-index-gateway.ts';
import { openSides, type Sides } from './search-sides.ts';
import type { Open } from './with-services.ts';

const EXPERIMENTS = 20;

/** A gateway over a new index whose experiments are empty as yet, and the Elasticsearch below it. */
export interface IndexSides {
  readonly elasticsearchUrl: string;
  readonly experimentIds: readonly string[];
  readonly gateway: GatewayProcess;
  readonly sides: Sides;
}

/** Starts Elasticsearch, an MLflow server and a gateway, and opens connections to be asked by. */
export async function openIndexSides(open: Open, index: string, profile: string | undefined): Promise<IndexSides> {
  const [elasticsearch, mlflow] = await Promise.all([open(startElasticsearch({ heapMb: 2_048 })), open(startMlflow())]);
  const experimentIds = await createExperiments(mlflow.url, EXPERIMENTS, 'bench');
  const servers = { elasticsearchUrl: elasticsearch.url, index };
  const gateway = await openIndexGateway(open, { ...servers, mlflowUrl: mlflow.url, experimentIds, profile });
  const sides = await openSides(open, { ...servers, gatewayUrl: gateway.url });
  return { elasticsearchUrl: elasticsearch.url, experimentIds, gateway, sides };
}
