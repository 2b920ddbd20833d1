import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { splitRuns } from '../../src/domain/run-text.ts';
import type { FeedStatus } from '../../src/indexing/index-feed.ts';
import { type GatewayProcess, startGateway, waitForIndex } from '../fixtures/gateway-process.ts';
import { postJson } from '../fixtures/post-json.ts';
import { createExperiments, loadRun } from '../fuzz/load-runs.ts';
import { makeRuns } from '../fuzz/make-runs.ts';
import { Random } from '../fuzz/random.ts';
import type { Service } from '../services/launch.ts';
import { startMlflow } from '../services/mlflow.ts';

const KILLS = Number(process.env.KILLS ?? 3);
const WRITERS = 4;
const OLD_RUNS = 60;
const random = new Random(5);

/** Of its own: where other tests write as well, it may be too slow for the writes that a kill is to interrupt. */
let server: Service;
let mlflow: string;
beforeAll(async () => {
  server = await startMlflow();
  mlflow = server.url;
});
afterAll(() => server.stop());

const INDEXES = {
  elasticsearch: {
    args: ['--elasticsearch', inject('elasticsearchUrl')],
    env: { GATEWAY_INDEX_STORE: 'elasticsearch' },
  },
  sqlite: { args: [], env: { GATEWAY_INDEX_STORE: 'sqlite' } },
} as const;

/** Writes until the gateway is gone; what happens to the last write nobody knows. */
async function writeUntilKilled(url: string, experimentIds: readonly string[]): Promise<number> {
  let written = 0;
  const send = async (path: string, body: object) => {
    const answer = await postJson(`${url}/api/2.0/mlflow/${path}`, body);
    written++;
    return (await answer.json()) as { run?: { info: { run_id: string } } };
  };
  const runIds: string[] = [];
  try {
    for (;;) {
      const experiment_id = random.pick([...experimentIds]);
      const { run } = await send('runs/create', { experiment_id, start_time: Date.now() - random.int(0, 1e9) });
      if (run) runIds.push(run.info.run_id);
      const run_id = random.pick(runIds);
      await send('runs/log-batch', {
        run_id,
        metrics: [{ key: 'm', value: random.next(), timestamp: 1, step: written }],
      });
      await send('runs/set-tag', { run_id, key: 't', value: `${written}` });
      if (random.chance(0.2)) await send('runs/delete', { run_id: random.pick(runIds) });
      if (random.chance(0.2)) await send('runs/update', { run_id, status: 'FINISHED', end_time: Date.now() });
      if (random.chance(0.03))
        for (const verb of ['delete', 'restore']) await send(`experiments/${verb}`, { experiment_id });
    }
  } catch {
    return written;
  }
}

async function search(url: string, experimentId: string) {
  const body = { experiment_ids: [experimentId], run_view_type: 'ALL', max_results: 5_000 };
  const answer = await postJson(`${url}/api/2.0/mlflow/runs/search`, body);
  return { source: answer.headers.get('x-gateway-source'), runs: splitRuns(await answer.text()).runs };
}

describe.each(Object.entries(INDEXES))(
  'a gateway with %s that is killed while clients write',
  (name, { args, env }) => {
    let folder: string;
    let experimentIds: string[];
    let gateway: GatewayProcess;

    const start = () =>
      startGateway(['--upstream', mlflow, '--data-dir', folder, ...args], {
        ...env,
        GATEWAY_CACHE_STORE: 'none',
        // Here no write takes longer.
        GATEWAY_FEED_UNCERTAIN_WRITE_MS: '5000',
        GATEWAY_ELASTICSEARCH_INDEX: `crash-${process.pid}`,
      });
    const status = async () => {
      const answer = await fetch(`${gateway.url}/gateway/status`);
      return ((await answer.json()) as { index: FeedStatus }).index;
    };

    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), 'crash-'));
      experimentIds = await createExperiments(mlflow, 3, `crash-${name}`);
      for (const plan of makeRuns(random, OLD_RUNS, 3)) await loadRun(mlflow, plan, experimentIds);
      gateway = await start();
      await waitForIndex(gateway, experimentIds);
      // Other experiments of the server too, so that nothing is left to copy.
      for (let left = 1; left > 0; await sleep(200)) {
        const { backfill } = await status();
        left = backfill ? backfill.experiments - backfill.experimentsDone : 1;
      }
    });

    afterAll(async () => {
      await gateway.stop();
      await rm(folder, { recursive: true });
    });

    it(`has an index equal to the server again ${KILLS} times, without copying it anew`, async () => {
      for (let kill = 0; kill < KILLS; kill++) {
        const { epoch } = await status();
        const writers = Array.from({ length: WRITERS }, () => writeUntilKilled(gateway.url, experimentIds));
        await sleep(1_500 + random.int(0, 700));
        gateway.process.kill('SIGKILL');
        await once(gateway.process, 'exit');
        const written = (await Promise.all(writers)).reduce((sum, count) => sum + count);
        expect(written).toBeGreaterThan(10);
        gateway = await start();
        await waitForIndex(gateway, experimentIds);
        for (const id of experimentIds) {
          const found = await search(gateway.url, id);
          expect(found.source).toBe('index');
          expect(found.runs).toEqual((await search(mlflow, id)).runs);
        }
        expect((await status()).epoch).toBe(epoch);
      }
    }, 600_000);

    it('goes on in the same epoch when it is started again in peace', async () => {
      const { epoch } = await status();
      await gateway.stop();
      gateway = await start();
      await waitForIndex(gateway, experimentIds);
      expect((await status()).epoch).toBe(epoch);
    }, 120_000);
  },
);
