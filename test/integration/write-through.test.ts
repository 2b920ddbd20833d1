import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { splitRuns } from '../../src/domain/run-text.ts';
import { createRun } from '../fixtures/create-run.ts';
import { type OpenGateway, openGateway } from '../fixtures/open-gateway.ts';
import { postJson } from '../fixtures/post-json.ts';
import { experimentWrites, runWrites } from '../fixtures/run-writes.ts';
import { createExperiments } from '../fuzz/load-runs.ts';

const mlflow = inject('mlflowUrl');
const INDEXES = { elasticsearch: inject('elasticsearchUrl'), sqlite: undefined } as const;

describe.each(['elasticsearch', 'sqlite'] as const)('a write through a gateway with an index in %s', (store) => {
  let folder: string;
  let gateway: OpenGateway;
  let experimentId = '';
  let runId = '';
  let names = 0;
  const written = () => ({ runId, experimentId });
  const newName = () => `write-through-${store}-${Date.now()}-${names++}`;

  /** Also by way of MLflow itself, so that the two can be compared. */
  async function search(base: string) {
    const body = { experiment_ids: [experimentId], run_view_type: 'ALL', max_results: 1_000 };
    const answer = await postJson(`${base}/api/2.0/mlflow/runs/search`, body);
    return { source: answer.headers.get('x-gateway-source'), runs: splitRuns(await answer.text()).runs };
  }

  async function untilIndexed(): Promise<void> {
    while ((await search(gateway.url)).source !== 'index') await sleep(50);
  }

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'write-through-'));
    const [id = ''] = await createExperiments(mlflow, 1, `write-through-${store}`);
    experimentId = id;
    runId = await createRun(mlflow, { experiment_id: id, run_name: 'é', start_time: 1 });
    const url = INDEXES[store];
    gateway = await openGateway({
      upstream: { url: mlflow },
      data: { dir: folder },
      index: { store },
      cache: { store: 'none' },
      ...(url && { elasticsearch: { url, index: `write-through-${process.pid}` } }),
      log: { level: 'warn' },
    });
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
});
