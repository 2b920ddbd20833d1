import { z } from 'zod';
import { milliseconds, trackingUrl } from './scalars.ts';

const Azure = z.strictObject({
  cloud: z
    .enum(['auto', 'public', 'us-government', 'china'])
    .default('auto')
    .describe('Where an Azure Machine Learning workspace is; auto tells it by the host'),
  credential: z
    .enum(['default', 'service-principal', 'managed-identity', 'workload-identity', 'cli', 'token'])
    .default('default')
    .describe('Who the gateway is there; default is whichever of the others the surroundings offer'),
  tenantId: z.string().min(1).optional().describe('Directory (tenant) of the identity'),
  clientId: z.string().min(1).optional().describe('Application (client) id of the identity'),
  clientSecretEnv: z
    .string()
    .optional()
    .describe('Name of the environment variable that holds the secret of a service principal'),
  certificateFile: z
    .string()
    .optional()
    .describe('PEM file with certificate and key of a service principal, instead of a secret'),
  certificatePasswordEnv: z
    .string()
    .optional()
    .describe('Name of the environment variable that holds the password of that file'),
  tokenFile: z
    .string()
    .optional()
    .describe('File with the token of a workload identity; without it, the one that Azure names in the pod'),
});

export const Upstream = z.strictObject({
  url: trackingUrl
    .optional()
    .describe(
      'The MLflow server; a path in it is put before every request path. Or an Azure Machine Learning workspace: azureml://…. Without it the gateway keeps runs itself',
    ),
  username: z
    .string()
    .regex(/^[^:]+$/, 'not a user name: empty, or with a colon')
    .optional()
    .describe("The gateway's own user name there, for what it asks itself"),
  passwordEnv: z.string().optional().describe('Name of the environment variable that holds the password'),
  tokenEnv: z
    .string()
    .optional()
    .describe('Name of the environment variable that holds a bearer token, instead of user name and password'),
  caFile: z
    .string()
    .optional()
    .describe('PEM file with the certificate authority to trust, when the URL begins with https://'),
  rejectUnauthorized: z
    .boolean()
    .default(true)
    .describe('false accepts any certificate of the MLflow server: for tests only'),
  timeoutMs: milliseconds
    .default(120_000)
    .describe('Silence of the MLflow server after which a request gets 504, in ms'),
  connections: z.int().positive().default(64).describe('Connections kept for searches and writes at most'),
  azure: Azure.prefault({}),
});

export const Permissions = z.strictObject({
  maxAgeSeconds: z
    .int()
    .positive()
    .default(10)
    .describe(
      "How long the word of MLflow's basic-auth app on what a caller may read is taken when a change of it goes past the gateway, in s",
    ),
});
