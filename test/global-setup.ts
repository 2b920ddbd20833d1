import type { ProvidedContext } from 'vitest';
import type { TestProject } from 'vitest/node';
import { startElasticsearch } from './services/elasticsearch.ts';
import type { Service } from './services/launch.ts';
import { startMlflow } from './services/mlflow.ts';
import { startRedis } from './services/redis.ts';

interface Shared {
  readonly key: keyof ProvidedContext;
  /** Holds the address of a running one, such as from `npm run services`, to use instead of starting one. */
  readonly variable: string;
  readonly start: () => Promise<Service>;
}

const SHARED: readonly Shared[] = [
  { key: 'elasticsearchUrl', variable: 'TEST_ELASTICSEARCH', start: startElasticsearch },
  { key: 'redisUrl', variable: 'TEST_REDIS', start: startRedis },
  { key: 'mlflowUrl', variable: 'TEST_MLFLOW', start: startMlflow },
];

/** Provides the address of each shared service; what was started here stops after the last test. */
export async function setup({ provide }: TestProject): Promise<() => Promise<void>> {
  const services = await Promise.all(SHARED.map(open));
  SHARED.forEach(({ key }, at) => {
    provide(key, services[at]?.url ?? '');
  });
  return async () => {
    await Promise.all(services.map((service) => service.stop()));
  };
}

async function open({ variable, start }: Shared): Promise<Pick<Service, 'url' | 'stop'>> {
  const url = process.env[variable];
  return url ? { url, stop: async () => {} } : start();
}
