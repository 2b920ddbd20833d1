import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { splitRuns } from '../../src/domain/run-text.ts';
import { createRun } from '../fixtures/create-run.ts';
import { elasticsearchOptions } from '../fixtures/elasticsearch-place.ts';
import { waitForIndex } from '../fixtures/gateway-process.ts';
import { type OpenGateway, openGateway } from '../fixtures/open-gateway.ts';
import { postJson } from '../fixtures/post-json.ts';
import { experimentWrites, runWrites } from '../fixtures/run-writes.ts';
import { createExperiments } from '../fuzz/load-runs.ts';

const mlflow = inject('mlflowUrl');
const elasticsearch = elasticsearchOptions(inject('elasticsearchUrl'));

describe.each(['elasticsearch', 'sqlite'] as const)('a write through a gateway with an index in %s', (store) => {
  let folder: string;
  let gateway: OpenGateway;
  let experimentId = '';
  let runId = '';
  let names = 0;
  const written = () => ({ runId, experimentId });
  const newName = () => `write-through-${store}-${Date.now()}-${names++}`;

  async function ask(base: string, headers: Record<string, string> = {}) {
    const body = { experiment_ids: [experimentId], run_view_type: 'ALL', max_results: 1_000 };
    const answer = await postJson(`${base}/api/2.0/mlflow/runs/search`, body, headers);
    return { headers: answer.headers, runs: splitRuns(await answer.text()).runs };
  }

  /** Also by way of MLflow itself, so that the two can be compared. */
  async function search(base: string) {
    const { headers, runs } = await ask(base);
    return { source: headers.get('x-gateway-source'), runs };
  }

  const untilIndexed = () => waitForIndex({ url: gateway.url, output: () => gateway.log.join('\n') }, [experimentId]);

  function open(consistency: 'strict' | 'eventual'): Promise<OpenGateway> {
    return openGateway({
      upstream: { url: mlflow },
      data: { dir: folder },
      index: { store },
      cache: { store: 'none' },
      // A busy machine is slow, and that is no reason to ask the backend instead.
      feed: { consistency, readyTimeoutMs: 30_000 },
      elasticsearch,
      log: { level: 'warn' },
    });
  }

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'write-through-'));
    const [id = ''] = await createExperiments(mlflow, 1, `write-through-${store}`);
    experimentId = id;
    runId = await createRun(mlflow, { experiment_id: id, run_name: 'é', start_time: 1 });
    gateway = await open('strict');
    await untilIndexed();
  });

  afterAll(async () => {
    await gateway.close();
    await rm(folder, { recursive: true });
  });

  const send = async (path: string, body: object) => {
    const answer = await postJson(`${gateway.url}${path.startsWith('/') ? path : `/api/2.0/mlflow/${path}`}`, body);
    expect(answer.status).toBe(200);
  };

  it.each(runWrites(written))('is found by the next search of the index: %s', async (path, body) => {
    const before = await search(gateway.url);
    await send(path, body());
    const after = await search(gateway.url);
    expect(after.source).toBe('index');
    expect(after.runs).toEqual((await search(mlflow)).runs);
    expect(after.runs).not.toEqual(before.runs);
  });

  it.each(experimentWrites(written, newName))(
    'is found by every search, and by the index soon: %s',
    async (path, body) => {
      await send(path, body());
      const direct = await search(mlflow);
      expect((await search(gateway.url)).runs).toEqual(direct.runs);
      await untilIndexed();
      expect(await search(gateway.url)).toEqual({ source: 'index', runs: direct.runs });
    },
  );

  it('may be found a little later where that is configured, by answers that say how old they are', async () => {
    await gateway.close();
    gateway = await open('eventual');
    await untilIndexed();
    let before = await ask(gateway.url);
    let after: typeof before | undefined;
    for (let i = 0; after?.runs.join() !== before.runs.join(); i++) {
      before = await ask(gateway.url);
      await send('runs/set-tag', { run_id: runId, key: 'eventual', value: `${i}` });
      after = await ask(gateway.url);
    }
    expect(after.headers.get('x-gateway-source')).toBe('index');
    expect(Number(after.headers.get('x-index-lag-ms'))).toBeGreaterThan(0);
    await send('runs/set-tag', { run_id: runId, key: 'eventual', value: 'last' });
    const strict = await ask(gateway.url, { 'x-gateway-consistency': 'strict' });
    expect(strict.headers.get('x-gateway-source')).toBe('index');
    expect(strict.headers.get('x-index-lag-ms')).toBe('0');
    expect(strict.runs).toEqual((await search(mlflow)).runs);
  });
});
