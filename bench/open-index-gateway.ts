import { type GatewayProcess, startGateway, waitForIndex } from '../test/fixtures/gateway-process.ts';
import { gatewayEnv, WITHOUT_RECONCILING } from './gateway-env.ts';
import type { Open } from './with-services.ts';

export interface IndexGatewayOptions {
  readonly mlflowUrl: string;
  readonly elasticsearchUrl: string;
  readonly index: string;
  /** Empty as yet. */
  readonly experimentIds: readonly string[];
  readonly profile: string | undefined;
}

/**
 * Starts a gateway without cache and waits until it answers from its index: it copies the experiments while they are empty, so
 * that it takes for whole what then goes straight into the index.
 */
export async function openIndexGateway(
  open: Open,
  { mlflowUrl, elasticsearchUrl, index, experimentIds, profile }: IndexGatewayOptions,
  env: NodeJS.ProcessEnv = {},
): Promise<GatewayProcess> {
  const gateway = await open(
    startGateway(['--upstream', mlflowUrl, '--elasticsearch', elasticsearchUrl], {
      ...gatewayEnv(profile),
      ...WITHOUT_RECONCILING,
      GATEWAY_ELASTICSEARCH_INDEX: index,
      ...env,
    }),
  );
  await waitForIndex(gateway, experimentIds);
  return gateway;
}
