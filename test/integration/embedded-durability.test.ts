import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createRun } from '../fixtures/create-run.ts';
import { type GatewayProcess, startGateway } from '../fixtures/gateway-process.ts';
import { post } from '../fuzz/load-runs.ts';

/** As often as the issue of durability asks for, when somebody has the time; a few in every run of the suite. */
const KILLS = Number(process.env.KILLS ?? 4);
const CLIENTS = 4;
const FIRST_KILL_MS = 150;

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'store-'));
});
afterAll(() => rm(folder, { recursive: true }));

const acknowledged = new Map<string, number>();

/** Logs run after run, step after step, until the server is gone; notes what it said yes to. */
async function log(gateway: GatewayProcess): Promise<void> {
  for (;;) {
    const id = await createRun(gateway.url, { experiment_id: '0' });
    acknowledged.set(id, 0);
    for (let step = 1; step <= 10; step++) {
      const params = [{ key: `p${step}`, value: 'x' }];
      const metrics = [{ key: 'm', value: step, timestamp: step, step }];
      await post(gateway.url, 'runs/log-batch', { run_id: id, metrics, params });
      acknowledged.set(id, step);
    }
  }
}

async function stepsOf(
  gateway: GatewayProcess,
): Promise<Map<string, { params: number; steps: number; latest: number }>> {
  const found = new Map<string, { params: number; steps: number; latest: number }>();
  for (let token = ''; ; ) {
    const answer = (await post(gateway.url, 'runs/search', { experiment_ids: ['0'], page_token: token })) as {
      runs: { info: { run_id: string }; data: { params?: unknown[]; metrics?: { value: number }[] } }[];
      next_page_token?: string;
    };
    for (const { info, data } of answer.runs) {
      const path = `${gateway.url}/api/2.0/mlflow/metrics/get-history?run_id=${info.run_id}&metric_key=m`;
      const { metrics = [] } = (await (await fetch(path)).json()) as { metrics?: unknown[] };
      found.set(info.run_id, {
        params: data.params?.length ?? 0,
        steps: metrics.length,
        latest: data.metrics?.[0]?.value ?? 0,
      });
    }
    if (!answer.next_page_token) return found;
    token = answer.next_page_token;
  }
}

it(
  'a killed gateway has lost nothing that it had said yes to, and starts again',
  async () => {
    for (let kill = 0; kill < KILLS; kill++) {
      const gateway = await startGateway(['--data-dir', folder]);
      const clients = Array.from({ length: CLIENTS }, () => log(gateway).catch(() => undefined));
      await new Promise((resolve) => setTimeout(resolve, FIRST_KILL_MS + 97 * kill));
      gateway.process.kill('SIGKILL');
      await once(gateway.process, 'exit');
      await Promise.all(clients);
    }
    const gateway = await startGateway(['--data-dir', folder]);
    const found = await stepsOf(gateway);
    expect(acknowledged.size).toBeGreaterThan(KILLS * CLIENTS);
    for (const [id, step] of acknowledged) {
      const { params, steps, latest } = found.get(id) ?? { params: -1, steps: -1, latest: -1 };
      // A write without an answer may have happened or not, but as a whole.
      expect([step, step + 1], id).toContain(steps);
      expect([params, latest]).toEqual([steps, steps]);
    }
    expect(await gateway.stop()).toBe(0);
  },
  30_000 + KILLS * 10_000,
);
