import {
  AzureClient,
  type Credential,
  createMlflowRequester,
  createTokenSource,
  type StaticToken,
  type WorkspaceAddress,
  workspaceAddress,
} from '../../adapters/azureml/index.ts';
import { ConfigError } from '../config/config-error.ts';
import type { UpstreamConfig } from '../config/schema.ts';
import type { Secrets } from '../config/secrets.ts';
import { GatewayError } from '../errors/gateway-error.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Requester } from '../upstream/upstream-client.ts';

export interface Workspace extends Requester {
  readonly address: WorkspaceAddress;
  close(): Promise<void>;
}

/** The workspace of Azure Machine Learning that the configuration names, asked as if it were MLflow. @throws ConfigError */
export function openWorkspace({ upstream }: UpstreamConfig, secrets: Secrets, logger: Logger): Workspace {
  const address = addressOf(upstream);
  const { timeoutMs, connections, caFile, rejectUnauthorized } = upstream;
  const client = new AzureClient({
    address,
    tokens: createTokenSource(credentialOf(upstream.azure, secrets), address.cloud, {
      onFailure: (err) => logger.warn({ err }, 'Azure gives the gateway no token'),
    }),
    timeoutMs,
    connections,
    caFile,
    rejectUnauthorized,
    onFailure: (exchange) => logger.warn(exchange, 'a request to Azure Machine Learning failed'),
  });
  return { ...createMlflowRequester(client), address, close: () => client.close() };
}

function addressOf({ url, azure: { cloud } }: UpstreamConfig['upstream']): WorkspaceAddress {
  try {
    return workspaceAddress({ trackingUri: url }, { cloud: cloud === 'auto' ? undefined : cloud });
  } catch (error) {
    if (error instanceof GatewayError) throw new ConfigError([{ path: 'upstream.url', message: error.message }]);
    throw error;
  }
}

/** What each kind needs is seen to by the configuration. */
function credentialOf(
  { credential: kind, tenantId, clientId, certificateFile, tokenFile }: UpstreamConfig['upstream']['azure'],
  { azureClientSecret: secret, azureCertificatePassword: certificatePassword, upstreamToken = '' }: Secrets,
): Credential | StaticToken {
  switch (kind) {
    case 'token':
      return { kind: 'static', token: upstreamToken };
    case 'service-principal':
      return {
        ...{ kind, tenantId: tenantId ?? '', clientId: clientId ?? '' },
        ...{ secret, certificateFile, certificatePassword },
      };
    case 'managed-identity':
      return { kind, clientId };
    case 'workload-identity':
      return { kind, tenantId, clientId, tokenFile };
    case 'cli':
      return { kind, tenantId };
    case 'default':
      return { kind, tenantId, clientId };
  }
}
