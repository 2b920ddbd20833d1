import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { createRun } from '../fixtures/create-run.ts';
import { type OpenGateway, openGateway } from '../fixtures/open-gateway.ts';
import { OwnRedis } from '../fixtures/own-redis.ts';
import { postJson } from '../fixtures/post-json.ts';
import { runCommand } from '../fixtures/run-command.ts';
import { createExperiments } from '../fuzz/load-runs.ts';
import { startRedisCluster } from '../services/redis-cluster.ts';

const API = '/api/2.0/mlflow';
const mlflow = inject('mlflowUrl');

describe('purge', () => {
  let redis: OwnRedis;
  let gateway: OpenGateway;
  let runIds: string[];
  let experimentIds: string[];
  let marks = 0;

  beforeAll(async () => {
    redis = await OwnRedis.start();
    gateway = await openGateway({
      upstream: { url: mlflow },
      redis: { url: redis.url },
      cache: { ttlSeconds: 600 },
      log: { level: 'silent' },
    });
    experimentIds = await createExperiments(mlflow, 2, 'purge');
    runIds = await Promise.all(experimentIds.map((experiment_id) => createRun(mlflow, { experiment_id })));
  });
  afterAll(async () => {
    await gateway.close();
    await redis.stop();
  });

  const purge = (...args: string[]) => runCommand(['purge', '--redis', redis.url, ...args]);
  const markIn = (text: string) => Number(/"mark",\s*"value":\s*"(\d+)"/.exec(text)?.[1] ?? 0);
  const isKept = async () => {
    const answers = await Promise.all(
      runIds.flatMap((run_id, i) => [
        fetch(`${gateway.url}${API}/runs/get?run_id=${run_id}`),
        postJson(`${gateway.url}${API}/runs/search`, { experiment_ids: [experimentIds[i]] }),
      ]),
    );
    return answers.every(({ headers }) => headers.get('x-cache') === 'HIT');
  };
  const readRun = async (i: number) =>
    markIn(await (await fetch(`${gateway.url}${API}/runs/get?run_id=${runIds[i]}`)).text());
  const search = async (i: number) =>
    markIn(await (await postJson(`${gateway.url}${API}/runs/search`, { experiment_ids: [experimentIds[i]] })).text());
  const seen = async () => [await readRun(0), await search(0), await readRun(1), await search(1)];

  /** Writes to both runs, past the gateway that keeps answers about them. */
  async function writePast(): Promise<void> {
    await expect.poll(isKept, { timeout: 10_000 }).toBe(true);
    expect(await seen()).toEqual(Array(4).fill(marks));
    marks++;
    for (const run_id of runIds)
      await postJson(`${mlflow}${API}/runs/set-tag`, { run_id, key: 'mark', value: `${marks}` });
    expect(await seen()).toEqual(Array(4).fill(marks - 1));
  }

  it('of a run makes void what is about it, and nothing else', async () => {
    await writePast();
    const { code, stdout } = await purge('--upstream', mlflow, '--run', runIds[0] as string, '--json');
    expect(JSON.parse(stdout)).toEqual({ purged: [`run:${runIds[0]}`, `experiment:${experimentIds[0]}`] });
    expect(code).toBe(0);
    expect(await seen()).toEqual([marks, marks, marks - 1, marks - 1]);
    await purge();
  });

  it('of an experiment makes void what is about it and its runs', async () => {
    await writePast();
    const { code, stdout } = await purge('--experiment', experimentIds[1] as string);
    expect([code, stdout]).toEqual([0, `Read anew from now on: experiments, experiment:${experimentIds[1]}\n`]);
    expect((await seen()).slice(1)).toEqual([marks - 1, marks, marks]);
    await purge();
  });

  it('without either makes everything void', async () => {
    await writePast();
    const { code, stdout } = await purge();
    expect([code, stdout]).toEqual([0, 'Read anew from now on: everything\n']);
    expect(await seen()).toEqual(Array(4).fill(marks));
  });

  it.each([
    ['a run and no server to ask', ['--run', '0'.repeat(32)], 2, 'with --run the MLflow server tells the experiment'],
    [
      'a run that does not exist',
      ['--upstream', mlflow, '--run', '0'.repeat(32)],
      1,
      `The MLflow server has no run ${'0'.repeat(32)}.`,
    ],
    ['a Redis that does not answer', ['--redis', 'redis://127.0.0.1:9'], 1, 'Redis cannot be told: '],
  ])('says what is wrong: %s', async (_, args, exit, message) => {
    const { code, stderr } = await purge(...args);
    expect([code, stderr]).toEqual([exit, expect.stringContaining(message)]);
  });

  it('works in a cluster', async () => {
    const cluster = await startRedisCluster();
    try {
      const env = { GATEWAY_REDIS_MODE: 'cluster' };
      const args = ['purge', '--redis', cluster.nodes.map(({ url }) => url).join(), '--experiment', '1', '--json'];
      const { code, stdout } = await runCommand(args, env);
      expect([code, JSON.parse(stdout)]).toEqual([0, { purged: ['experiments', 'experiment:1'] }]);
    } finally {
      await cluster.stop();
    }
  });

  it('needs a Redis', async () => {
    const { code, stderr } = await runCommand(['purge', '--upstream', mlflow]);
    expect([code, stderr]).toEqual([2, expect.stringContaining('a cache in memory alone is gone with its gateway')]);
  });
});
