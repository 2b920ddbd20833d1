import { z } from 'zod';
import { BackendsSection, Federation } from './sections/backends.ts';
import { Cache } from './sections/cache.ts';
import { Access, Auth } from './sections/callers.ts';
import { Feed } from './sections/feed.ts';
import { Listen } from './sections/listen.ts';
import { Search } from './sections/search.ts';
import { Data, Elasticsearch, Index, Redis } from './sections/stores.ts';
import { Permissions, Upstream } from './sections/upstream.ts';

const Log = z.strictObject({
  level: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'silent']).default('info').describe('Least level to write'),
});

/** Everything that can be set; a section may be left out. Holds no secrets: those are named by `…Env` keys. */
export const ConfigSchema = z.strictObject({
  listen: Listen.prefault({}),
  upstream: Upstream.prefault({}),
  backends: BackendsSection.default({}),
  federation: Federation.prefault({}),
  permissions: Permissions.prefault({}),
  data: Data.prefault({}),
  index: Index.prefault({}),
  elasticsearch: Elasticsearch.prefault({}),
  redis: Redis.prefault({}),
  cache: Cache.prefault({}),
  feed: Feed.prefault({}),
  search: Search.prefault({}),
  workers: z
    .int()
    .min(1)
    .max(64)
    .default(1)
    .describe('Processes that serve; several share the port, an Elasticsearch index and a Redis'),
  dialect: z
    .enum(['auto', 'sqlite', 'postgresql', 'postgresql-c', 'mysql'])
    .default('auto')
    .describe('Database below the MLflow server; auto asks it. postgresql-c: one whose collation is C or C.UTF-8'),
  auth: Auth.prefault({}),
  access: Access.prefault({}),
  log: Log.prefault({}),
});

export type Config = z.infer<typeof ConfigSchema>;

/** The configuration of a gateway that stands in front of an MLflow server. */
export type UpstreamConfig = Config & { readonly upstream: { readonly url: string } };

export const hasUpstream = (config: Config): config is UpstreamConfig => config.upstream.url !== undefined;

/** Whether what stands behind the gateway is a workspace of Azure Machine Learning. */
export const isAzure = ({ upstream }: UpstreamConfig): boolean => upstream.url.startsWith('azureml:');
