import type { Contradiction, Given } from './contradiction.ts';

const isAzure = (given: Given) => String(given('upstream.url')).startsWith('azureml:');
const credentialOf = (given: Given) => given('upstream.azure.credential') ?? 'default';

const isUsual = (value: unknown) => value === undefined || value === 'auto' || value === 'default';

const AZURE_KEYS = [
  ...['cloud', 'credential', 'tenantId', 'clientId', 'clientSecretEnv'],
  ...['certificateFile', 'certificatePasswordEnv', 'tokenFile'],
].map((key) => `upstream.azure.${key}`);

/** Keys that only some kinds of credentials have. */
const KINDS_OF: Readonly<Record<string, readonly string[]>> = {
  clientSecretEnv: ['service-principal'],
  certificateFile: ['service-principal'],
  certificatePasswordEnv: ['service-principal'],
  tokenFile: ['workload-identity'],
};

export const AZURE_CONTRADICTIONS: readonly Contradiction[] = [
  ...AZURE_KEYS.map((path) => ({
    path,
    wrong: (given: Given) => !isUsual(given(path)) && !isAzure(given),
    message: 'is of an Azure Machine Learning workspace: upstream.url azureml://…',
  })),
  ...Object.entries(KINDS_OF).map(([key, kinds]) => ({
    path: `upstream.azure.${key}`,
    wrong: (given: Given) =>
      isAzure(given) && given(`upstream.azure.${key}`) !== undefined && !kinds.includes(String(credentialOf(given))),
    message: `is of another credential: set upstream.azure.credential: ${kinds.join(' or ')}`,
  })),
  {
    path: 'upstream.azure.credential',
    wrong: (given) =>
      isAzure(given) &&
      credentialOf(given) === 'service-principal' &&
      !(
        given('upstream.azure.tenantId') &&
        given('upstream.azure.clientId') &&
        (given('upstream.azure.clientSecretEnv') || given('upstream.azure.certificateFile'))
      ),
    message: 'service-principal needs tenantId, clientId, and clientSecretEnv or certificateFile',
  },
  {
    path: 'upstream.azure.credential',
    wrong: (given) => isAzure(given) && (credentialOf(given) === 'token') !== Boolean(given('upstream.tokenEnv')),
    message: 'token and upstream.tokenEnv, the variable that holds it, go together',
  },
  {
    path: 'upstream.username',
    wrong: (given) => isAzure(given) && given('upstream.username') !== undefined,
    message: 'is no name that Azure knows: see upstream.azure.credential',
  },
  {
    path: 'auth.mode',
    wrong: (given) => isAzure(given) && (given('auth.mode') ?? 'passthrough') === 'passthrough',
    message:
      'passthrough is for an MLflow server that asks who is calling; before Azure Machine Learning every caller acts under the ' +
      "gateway's name, so say who may call: basic, jwt, or none with access.read and access.write",
  },
  ...['access.read', 'access.write'].map((path) => ({
    path,
    wrong: (given: Given) =>
      isAzure(given) && given('auth.mode') === 'none' && given(path) === undefined && !given('upstream.tokenEnv'),
    message:
      "missing: in mode none whoever reaches the gateway acts under the gateway's name in Azure; say anyone if that is meant, " +
      'or an empty list for nobody',
  })),
  ...['elasticsearch.url', 'index.store'].map((path) => ({
    path,
    wrong: (given: Given) =>
      isAzure(given) && given(path) !== undefined && !['auto', 'none'].includes(String(given(path))),
    message: 'runs of an Azure Machine Learning workspace are not indexed yet',
  })),
];
