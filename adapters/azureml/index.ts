export { absentEndpoint, isAbsentEndpoint } from './absent-endpoints.ts';
export { AzureClient, type AzureClientOptions, type FailedExchange, type RetryLimits } from './azure-client.ts';
export { AZURE_IDS, DEFAULT_EXPERIMENT } from './azure-ids.ts';
export { CLOUDS, type Cloud, type CloudName, cloudOfHost } from './cloud.ts';
export type { Authority, Credential, ServicePrincipal } from './credential.ts';
export { checkExperimentName } from './experiment-name.ts';
export { createExperimentSearch, obstacleTo } from './experiment-search.ts';
export { createForwarder } from './forwarder.ts';
export { logBatch } from './log-batch.ts';
export { type HistoryRequest, readMetricHistory } from './metric-history.ts';
export { createMlflowRequester } from './mlflow-requester.ts';
export { normaliseAnswer } from './normalise-answer.ts';
export { type AzureRunAdapterOptions, createAzureRunAdapter } from './run-adapter.ts';
export { createTokenSource, type StaticToken, type TokenSource, type TokenSourceOptions } from './token-source.ts';
export {
  type AddressOptions,
  type ApiVersion,
  type WorkspaceAddress,
  type WorkspaceSource,
  workspaceAddress,
} from './workspace-address.ts';
