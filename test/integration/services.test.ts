import { describe, expect, inject, it } from 'vitest';
import { ELASTICSEARCH_VERSION } from '../services/elasticsearch.ts';
import { MLFLOW_VERSION } from '../services/mlflow.ts';
import { askRedis } from '../services/redis.ts';

describe('shared services', () => {
  it('has Elasticsearch of the version we ask for, healthy', async () => {
    const url = inject('elasticsearchUrl');
    const health = await fetch(`${url}/_cluster/health`);
    expect(await health.json()).toMatchObject({ status: expect.stringMatching(/green|yellow/), number_of_nodes: 1 });
    const { nodes } = (await (await fetch(`${url}/_nodes?filter_path=nodes.*.version`)).json()) as Nodes;
    expect(Object.values(nodes)).toEqual([{ version: ELASTICSEARCH_VERSION }]);
  });

  it('has Redis 7 or later', async () => {
    const port = Number(new URL(inject('redisUrl')).port);
    expect(await askRedis(port, 'PING')).toBe('+PONG\r\n');
    const major = /redis_version:(\d+)/.exec(await askRedis(port, 'INFO server'))?.[1];
    expect(Number(major)).toBeGreaterThanOrEqual(7);
  });

  it('has MLflow of the version we ask for', async () => {
    const version = await fetch(`${inject('mlflowUrl')}/version`);
    expect(await version.text()).toBe(MLFLOW_VERSION);
  });
});

interface Nodes {
  readonly nodes: Readonly<Record<string, { readonly version: string }>>;
}
