import type { UpstreamConfig } from '../config/schema.ts';
import type { Secrets } from '../config/secrets.ts';

/** What each lane is spared of: whoever reaches it was let in before. */
const inFront = ({ listen }: UpstreamConfig) => ({ backends: {}, listen: { ...listen, allowedHosts: ['*'] } });

/** The configuration of the lane of the default backend: the gateway's own. */
export const defaultLaneConfig = (config: UpstreamConfig): UpstreamConfig => ({ ...config, ...inFront(config) });

/**
 * The configuration of the lane of another backend: index, cache and journal of its own, and the gateway's own name, whoever is
 * calling.
 */
export function laneConfig(config: UpstreamConfig, id: string): UpstreamConfig {
  const backend = config.backends[id];
  if (!backend) throw new TypeError(`There is no backend ${id}.`);
  const { namePrefix, dialect, ...upstream } = backend;
  return {
    ...config,
    ...inFront(config),
    // A workspace of Azure Machine Learning has an address of another kind.
    upstream: { ...upstream, azure: config.upstream.azure },
    dialect,
    auth: { ...config.auth, mode: 'none' },
    access: {},
    elasticsearch: { ...config.elasticsearch, index: `${config.elasticsearch.index}-${id}` },
    redis: { ...config.redis, keyPrefix: `${config.redis.keyPrefix}-${id}` },
  };
}

/** The secrets of the same lane. */
export const laneSecrets = (secrets: Secrets, id: string): Secrets => ({
  ...secrets,
  upstreamPassword: secrets.backends?.[id]?.password,
  upstreamToken: secrets.backends?.[id]?.token,
});
