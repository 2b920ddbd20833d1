import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { percentilesOf } from '../../bench/statistics.ts';
import { splitRuns } from '../../src/domain/run-text.ts';
import { createRun } from '../fixtures/create-run.ts';
import { type GatewayProcess, startGateway, waitForIndex } from '../fixtures/gateway-process.ts';
import { OwnRedis } from '../fixtures/own-redis.ts';
import { postJson } from '../fixtures/post-json.ts';
import { runCommand } from '../fixtures/run-command.ts';
import { createExperiments, post } from '../fuzz/load-runs.ts';
import { Random } from '../fuzz/random.ts';

/** How many writes are followed by a search; `PAIRS=10000` also says what they cost. */
const PAIRS = Number(process.env.PAIRS ?? 200);
const CLIENTS = 4;
const ABSENT_MS = 4_000;
const mlflow = inject('mlflowUrl');
const random = new Random(6);

let redis: OwnRedis;
let folder: string;
let experimentIds: string[];
let gateways: [GatewayProcess, GatewayProcess];

const start = (number: number) =>
  startGateway(['--upstream', mlflow, '--elasticsearch', inject('elasticsearchUrl'), '--redis', redis.url], {
    GATEWAY_DATA_DIR: join(folder, `${number}`),
    GATEWAY_ELASTICSEARCH_INDEX: `replicas-${process.pid}`,
    GATEWAY_FEED_ABSENT_MS: `${ABSENT_MS}`,
    GATEWAY_FEED_UNCERTAIN_WRITE_MS: '3000',
  });

beforeAll(async () => {
  redis = await OwnRedis.start();
  folder = await mkdtemp(join(tmpdir(), 'replicas-'));
  experimentIds = await createExperiments(mlflow, CLIENTS, 'replicas');
  for (const id of experimentIds) for (let i = 0; i < 10; i++) await createRun(mlflow, { experiment_id: id });
  gateways = await Promise.all([start(0), start(1)]);
  for (const gateway of gateways) await waitForIndex(gateway, experimentIds);
});

afterAll(async () => {
  await Promise.all(gateways.map((gateway) => gateway.stop()));
  await redis.stop();
  await rm(folder, { recursive: true });
});

async function search(url: string, experimentId: string, filter = '', headers: Record<string, string> = {}) {
  const body = { experiment_ids: [experimentId], filter, run_view_type: 'ALL', max_results: 5_000 };
  const begun = performance.now();
  const answer = await postJson(`${url}/api/2.0/mlflow/runs/search`, body, headers);
  const text = await answer.text();
  return {
    ms: performance.now() - begun,
    source: answer.headers.get('x-gateway-source'),
    runs: splitRuns(text).runs,
  };
}

const expectEqual = async (gateway: GatewayProcess, id: string) =>
  expect((await search(gateway.url, id)).runs).toEqual((await search(mlflow, id)).runs);

/** Values of a tag. */
interface Marks {
  /** The last that was sent: MLflow may have it, or be about to. */
  sent?: string;
  acknowledged?: string;
}

/** Writes through one gateway and searches through the other, so many times. Gives how long the searches took. */
async function pairs(experimentId: string, count: number, headers: Record<string, string> = {}, marks: Marks = {}) {
  const times: number[] = [];
  let misses = 0;
  let byIndex = 0;
  const runId = await createRun(gateways[0].url, { experiment_id: experimentId });
  for (let i = 0; i < count; i++) {
    const [writes, reads] = random.chance(0.5) ? gateways : gateways.toReversed();
    const value = `${random.next()}`;
    marks.sent = value;
    await post(writes?.url ?? '', 'runs/set-tag', { run_id: runId, key: 'mark', value });
    marks.acknowledged = value;
    const found = await search(reads?.url ?? '', experimentId, `tags.mark = '${value}'`, headers);
    times.push(found.ms);
    if (found.runs.length !== 1) misses++;
    if (found.source === 'index') byIndex++;
  }
  return { times, misses, byIndex };
}

describe('two gateways that share an index and a Redis', () => {
  it(`find what the other one has just written, ${PAIRS} times of ${PAIRS}`, async () => {
    const strict = await Promise.all(experimentIds.map((id) => pairs(id, PAIRS / CLIENTS)));
    const times = strict.flatMap((client) => client.times);
    expect(strict.map(({ misses }) => misses)).toEqual(experimentIds.map(() => 0));
    expect(strict.reduce((sum, { byIndex }) => sum + byIndex, 0) / times.length).toBeGreaterThan(0.9);
    if (!process.env.PAIRS) return;
    const eventual = await Promise.all(
      experimentIds.map((id) => pairs(id, PAIRS / CLIENTS / 10, { 'x-gateway-consistency': 'eventual' })),
    );
    for (const [name, clients] of Object.entries({ strict, eventual }))
      process.stdout.write(
        `${name} ${JSON.stringify(percentilesOf(clients.flatMap((client) => client.times)))}, ` +
          `${clients.reduce((sum, { misses }) => sum + misses, 0)} misses\n`,
      );
  }, 3_600_000);

  it('leave a rebuild to the day when one of them is alone', async () => {
    const place = ['--upstream', mlflow, '--elasticsearch', inject('elasticsearchUrl'), '--redis', redis.url];
    const rebuild = await runCommand(['rebuild', ...place], { GATEWAY_ELASTICSEARCH_INDEX: `replicas-${process.pid}` });
    expect(rebuild.code).toBe(1);
    expect(rebuild.stderr.match(/Several gateways or workers keep this index/g)).toHaveLength(1);
  });

  it('answer without the one that is killed, and again by the index when it is back', async () => {
    const [experimentId = ''] = experimentIds;
    const marks: Marks = {};
    const writing = pairs(experimentId, 1_000, {}, marks).catch(() => undefined);
    await new Promise((resolve) => setTimeout(resolve, 300));
    gateways[1].process.kill('SIGKILL');
    await once(gateways[1].process, 'exit');
    await writing;
    const { runs } = await search(gateways[0].url, experimentId);
    expect(runs.some((run) => run.includes(`"${marks.acknowledged}"`) || run.includes(`"${marks.sent}"`))).toBe(true);
    // What the killed one had under way was acknowledged to nobody, and is told to nobody until the others miss it.
    const source = async () => (await search(gateways[0].url, experimentId)).source;
    await expect.poll(source, { timeout: ABSENT_MS }).toBe('backend');
    await expectEqual(gateways[0], experimentId);
    await createRun(gateways[0].url, { experiment_id: experimentId });
    await expectEqual(gateways[0], experimentId);
    gateways[1] = await start(1);
    for (const gateway of gateways) {
      await waitForIndex(gateway, experimentIds);
      for (const id of experimentIds) await expectEqual(gateway, id);
    }
  });

  it('go on without the one that never comes back', async () => {
    gateways[1].process.kill('SIGKILL');
    await once(gateways[1].process, 'exit');
    const runId = await createRun(gateways[0].url, { experiment_id: experimentIds[1] });
    await waitForIndex(gateways[0], experimentIds);
    for (const id of experimentIds) await expectEqual(gateways[0], id);
    await rm(join(folder, '1'), { recursive: true });
    gateways[1] = await start(1);
    await waitForIndex(gateways[1], experimentIds);
    await post(gateways[1].url, 'runs/delete', { run_id: runId });
    await expectEqual(gateways[0], experimentIds[1] ?? '');
  });

  it('are right while Redis is away, and after it came back empty', async () => {
    const [experimentId = ''] = experimentIds;
    await redis.stop();
    await createRun(gateways[0].url, { experiment_id: experimentId });
    await expectEqual(gateways[1], experimentId);
    await redis.restart();
    await createRun(gateways[1].url, { experiment_id: experimentId });
    await expectEqual(gateways[0], experimentId);
    for (const gateway of gateways) {
      await waitForIndex(gateway, experimentIds);
      for (const id of experimentIds) await expectEqual(gateway, id);
    }
  });

  it('leave what is left to each other when one stops', async () => {
    const [experimentId = ''] = experimentIds;
    await createRun(gateways[1].url, { experiment_id: experimentId });
    expect(await gateways[1].stop()).toBe(0);
    const found = await search(gateways[0].url, experimentId);
    expect(found.source).toBe('index');
    expect(found.runs).toEqual((await search(mlflow, experimentId)).runs);
  });
});
