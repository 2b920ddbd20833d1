import { complain, isTree, type Layers, valueAt } from './layers.ts';

/** Read from the variables that the configuration names; never printed, never in a file of ours. */
export interface Secrets {
  readonly elasticsearchPassword: string | undefined;
  readonly elasticsearchApiKey: string | undefined;
  readonly redisPassword: string | undefined;
  readonly upstreamPassword: string | undefined;
  readonly upstreamToken: string | undefined;
  readonly redisSentinelPassword: string | undefined;
  readonly azureClientSecret: string | undefined;
  readonly azureCertificatePassword: string | undefined;
  /** Of the backends besides the first, by their ids. */
  readonly backends?: Readonly<Record<string, BackendSecrets>>;
}

export interface BackendSecrets {
  readonly password: string | undefined;
  readonly token: string | undefined;
}

const PATHS = [
  'elasticsearch.passwordEnv',
  'elasticsearch.apiKeyEnv',
  'redis.passwordEnv',
  'upstream.passwordEnv',
  'upstream.tokenEnv',
  'redis.sentinelPasswordEnv',
  'upstream.azure.clientSecretEnv',
  'upstream.azure.certificatePasswordEnv',
] as const;

/** The variables that hold secrets, whatever their names. */
export function secretVariables(layers: Layers): string[] {
  const ofBackends = backendIds(layers).flatMap((id) => [`backends.${id}.passwordEnv`, `backends.${id}.tokenEnv`]);
  return [...PATHS, ...ofBackends].map((path) => valueAt(layers, path)).filter((name) => typeof name === 'string');
}

function backendIds(layers: Layers): string[] {
  const backends = valueAt(layers, 'backends');
  return isTree(backends) ? Object.keys(backends) : [];
}

export function readSecrets(layers: Layers, env: Readonly<Record<string, string | undefined>>): Secrets {
  const read = (path: string) => {
    const variable = valueAt(layers, path);
    if (typeof variable !== 'string') return undefined;
    if (!env[variable]) complain(layers, path, `the variable ${variable} is not set`);
    return env[variable];
  };
  return {
    elasticsearchPassword: read('elasticsearch.passwordEnv'),
    elasticsearchApiKey: read('elasticsearch.apiKeyEnv'),
    redisPassword: read('redis.passwordEnv'),
    upstreamPassword: read('upstream.passwordEnv'),
    upstreamToken: read('upstream.tokenEnv'),
    redisSentinelPassword: read('redis.sentinelPasswordEnv'),
    azureClientSecret: read('upstream.azure.clientSecretEnv'),
    azureCertificatePassword: read('upstream.azure.certificatePasswordEnv'),
    backends: Object.fromEntries(
      backendIds(layers).map((id) => [
        id,
        { password: read(`backends.${id}.passwordEnv`), token: read(`backends.${id}.tokenEnv`) },
      ]),
    ),
  };
}
