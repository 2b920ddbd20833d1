import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { parse } from 'yaml';
import { readArguments } from '../../src/config/arguments.ts';
import { loadConfig } from '../../src/config/load-config.ts';
import { ELASTICSEARCH_VERSION } from '../services/elasticsearch.ts';
import { MLFLOW_VERSION } from '../services/mlflow.ts';

interface ComposeService {
  readonly image?: string;
  readonly ports?: readonly string[];
  readonly healthcheck?: object;
  readonly depends_on?: Readonly<Record<string, { condition: string }>>;
  readonly build?: { readonly dockerfile_inline: string };
}

const { services } = parse(readFileSync('docker-compose.yml', 'utf8')) as {
  services: Record<'gateway' | 'mlflow' | 'elasticsearch' | 'redis' | 'postgres', ComposeService>;
};

it('config/docker.yaml is a configuration, and names services of docker-compose.yml', () => {
  const { config } = loadConfig(readArguments(['--config', 'config/docker.yaml']), {});
  const urls = [config.upstream.url, config.elasticsearch.url, config.redis.url].map((url) => new URL(url ?? ''));
  expect(urls.map((url) => url.hostname)).toEqual(['mlflow', 'elasticsearch', 'redis']);
  expect(Object.keys(services)).toEqual(expect.arrayContaining(urls.map((url) => url.hostname)));
});

it('docker-compose.yml publishes the gateway alone, to this machine alone', () => {
  expect(Object.entries(services).flatMap(([name, { ports = [] }]) => ports.map((port) => [name, port]))).toEqual([
    ['gateway', '127.0.0.1:5000:5000'],
  ]);
});

it('docker-compose.yml starts each service after healthy ones', () => {
  for (const { depends_on = {} } of Object.values(services)) {
    for (const [name, { condition }] of Object.entries(depends_on)) {
      expect(condition).toBe('service_healthy');
      expect(services[name as keyof typeof services].healthcheck).toBeDefined();
    }
  }
});

it('docker-compose.yml has the versions that the tests run over', () => {
  expect(services.elasticsearch.image).toBe(`elasticsearch:${ELASTICSEARCH_VERSION}`);
  expect(services.mlflow.build?.dockerfile_inline).toContain(`mlflow==${MLFLOW_VERSION} `);
  expect(services.redis.image).toBe('redis:7');
});
