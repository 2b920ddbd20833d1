import { z } from 'zod';
import { milliseconds, severalHttpUrls, severalRedisUrls } from './scalars.ts';

export const Data = z.strictObject({
  dir: z.string().min(1).default('data').describe('Folder for files of the gateway; made when it is not there'),
});

export const Index = z.strictObject({
  store: z
    .enum(['auto', 'elasticsearch', 'sqlite', 'none'])
    .default('auto')
    .describe('auto is elasticsearch when elasticsearch.url is set, else sqlite: a file in data.dir'),
});

export const Elasticsearch = z.strictObject({
  url: severalHttpUrls
    .optional()
    .describe('Elasticsearch 8.13 or later, or 9, for the runs index; of a cluster, several nodes with commas between'),
  index: z
    .string()
    .regex(/^[a-z0-9][a-z0-9._-]*$/, 'lower-case letters, digits and . _ - only')
    .default('mlflow-runs')
    .describe('What the names of the indices and aliases begin with'),
  replicas: z
    .int()
    .nonnegative()
    .optional()
    .describe('Copies of the index on other nodes, when it is made; without it, one as soon as there is a second node'),
  username: z.string().optional().describe('User name for basic authentication'),
  passwordEnv: z.string().optional().describe('Name of the environment variable that holds the password'),
  apiKeyEnv: z.string().optional().describe('Name of the environment variable that holds an API key'),
  caFile: z.string().optional().describe('PEM file with the certificate authority to trust'),
  rejectUnauthorized: z.boolean().default(true).describe('false accepts any certificate: for tests only'),
  timeoutMs: milliseconds.default(10_000).describe('Time limit of one request to Elasticsearch, in ms'),
});

export const Redis = z.strictObject({
  url: severalRedisUrls
    .optional()
    .describe(
      'Redis 6.2 or later for the cache, rediss:// for TLS; of Sentinels, or of nodes of a cluster, several with commas between',
    ),
  mode: z
    .enum(['standalone', 'sentinel', 'cluster'])
    .default('standalone')
    .describe('What redis.url names: one server, Sentinels that know where the master is, or nodes of a Redis Cluster'),
  sentinelName: z.string().min(1).optional().describe('What the Sentinels call the master'),
  username: z.string().optional().describe('User name, of an access control list (ACL)'),
  passwordEnv: z.string().optional().describe('Name of the environment variable that holds the password'),
  sentinelPasswordEnv: z
    .string()
    .optional()
    .describe('Name of the environment variable that holds the password of the Sentinels'),
  database: z.int().nonnegative().optional().describe('Number of the database; a cluster has none but 0'),
  caFile: z.string().optional().describe('PEM file with the certificate authority to trust'),
  rejectUnauthorized: z.boolean().default(true).describe('false accepts any certificate: for tests only'),
  keyPrefix: z
    .string()
    .min(1)
    .default('mlflow-gateway')
    .describe('What every key begins with; another one for each MLflow server'),
  commandTimeoutMs: milliseconds.default(50).describe('A Redis slower than this counts as absent, in ms'),
});
