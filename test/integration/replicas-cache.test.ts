import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, inject, it, vi } from 'vitest';
import { createRun } from '../fixtures/create-run.ts';
import { type OpenGateway, openGateway } from '../fixtures/open-gateway.ts';
import { OwnRedis } from '../fixtures/own-redis.ts';
import { postJson } from '../fixtures/post-json.ts';
import { TcpLink } from '../fixtures/tcp-link.ts';
import { createExperiments, post } from '../fuzz/load-runs.ts';

const mlflow = inject('mlflowUrl');
const WAIT = { timeout: 60_000, interval: 100 };

describe.each([
  ['an Elasticsearch index', { elasticsearch: { url: inject('elasticsearchUrl'), index: `cached-${process.pid}` } }],
  ['no index', {}],
])('two gateways with a cache in one Redis and %s', (_, settings) => {
  let redis: OwnRedis;
  let links: TcpLink[];
  let folder: string;
  let experimentId: string;
  let runId: string;
  let gateways: [OpenGateway, OpenGateway];
  let written = 0;

  beforeAll(async () => {
    redis = await OwnRedis.start();
    folder = await mkdtemp(join(tmpdir(), 'cached-'));
    [experimentId = ''] = await createExperiments(mlflow, 1, 'cached');
    runId = await createRun(mlflow, { experiment_id: experimentId });
    links = [await TcpLink.to(Number(new URL(redis.url).port)), await TcpLink.to(Number(new URL(redis.url).port))];
    gateways = [await open(0), await open(1)];
    await untilCached();
  });

  afterEach(async () => {
    for (const link of links) link.heal();
    redis.wake();
  });

  afterAll(async () => {
    for (const gateway of gateways) await gateway.close();
    for (const link of links) link.close();
    await redis.stop();
    await rm(folder, { recursive: true });
  });

  const open = (at: number, onListening?: (url: string) => void) =>
    openGateway(
      {
        upstream: { url: mlflow },
        ...settings,
        ...('elasticsearch' in settings && { index: { store: 'elasticsearch' as const } }),
        redis: { url: `redis://127.0.0.1:${links[at]?.port}` },
        data: { dir: join(folder, `${at}`) },
        log: { level: 'silent' },
      },
      onListening,
    );

  const write = async ({ url }: Pick<OpenGateway, 'url'>) => {
    await post(url, 'runs/set-tag', { run_id: runId, key: 'mark', value: `${++written}` });
  };

  const read = async (gateway: OpenGateway) => {
    const answer = await postJson(`${gateway.url}/api/2.0/mlflow/runs/search`, { experiment_ids: [experimentId] });
    const { runs } = (await answer.json()) as { runs: { data: { tags: { key: string; value: string }[] } }[] };
    return {
      mark: Number(runs[0]?.data.tags.find(({ key }) => key === 'mark')?.value ?? 0),
      cache: answer.headers.get('x-cache'),
    };
  };

  /** Until both answer from the cache. */
  async function untilCached(): Promise<void> {
    for (const gateway of gateways) await vi.waitFor(async () => expect((await read(gateway)).cache).toBe('HIT'), WAIT);
  }

  it('make void what each other has stored', async () => {
    for (let i = 0; i < 50; i++) {
      const [one, other] = i % 2 ? gateways : [gateways[1], gateways[0]];
      await write(one);
      for (const gateway of [other, one, other]) expect((await read(gateway)).mark).toBe(written);
    }
    await untilCached();
  });

  it.each(['cut', 'stalled'] as const)(
    'answer without what one cannot make void whose way to Redis is %s',
    async (how) => {
      await untilCached();
      const [link] = links;
      const goOn = how === 'cut' ? link?.cut() : link?.stall();
      for (let i = 0; i < 5; i++) {
        await write(gateways[0]);
        for (const gateway of gateways) {
          const { mark, cache } = await read(gateway);
          expect(mark).toBe(written);
          // What is stalled is given up after a while, and another way found.
          if (how === 'cut') expect(cache).toBe('BYPASS');
        }
      }
      goOn?.();
      link?.heal();
      for (let i = 0; i < 100; i++) {
        await write(gateways[i % 2 ? 0 : 1]);
        for (const gateway of gateways) expect((await read(gateway)).mark).toBe(written);
        await sleep(20);
      }
      await untilCached();
      expect((await read(gateways[1])).mark).toBe(written);
    },
  );

  it('answer without what one cannot make void whose way leads to another Redis', async () => {
    await untilCached();
    const another = await OwnRedis.start();
    for (const port of [another.port, redis.port]) {
      links[0]?.leadTo(port);
      // It is connected there before the other one misses it here.
      await sleep(300);
      for (let i = 0; i < 30; i++) {
        await write(gateways[0]);
        for (const gateway of [gateways[1], gateways[0], gateways[1]]) expect((await read(gateway)).mark).toBe(written);
        await sleep(50);
      }
    }
    await another.stop();
    await untilCached();
    expect((await read(gateways[1])).mark).toBe(written);
  });

  it('answer without what one cannot make void that is only starting', async () => {
    await untilCached();
    await gateways[0].close();
    await vi.waitFor(async () => expect((await read(gateways[1])).cache).toBe('HIT'), WAIT);
    const goOn = links[0]?.stall();
    const listening = Promise.withResolvers<string>();
    const opening = open(0, listening.resolve);
    const writing = write({ url: await listening.promise });
    setTimeout(() => goOn?.(), 500);
    await writing;
    expect((await read(gateways[1])).mark).toBe(written);
    gateways[0] = await opening;
    await untilCached();
  });

  it('answer without what was stored before Redis hung', async () => {
    await untilCached();
    redis.hang();
    await write(gateways[0]);
    const waking = sleep(300).then(() => redis.wake());
    for (let i = 0; i < 100; i++) {
      for (const gateway of gateways) expect((await read(gateway)).mark).toBe(written);
      await sleep(10);
    }
    await waking;
    await untilCached();
  });
});
