import autocannon from 'autocannon';
import { Redis } from 'ioredis';
import { createExperiments } from '../test/fuzz/load-runs.ts';
import { startMlflow } from '../test/services/mlflow.ts';
import { startRedis } from '../test/services/redis.ts';
import { alternate } from './alternate.ts';
import { toApiRequest } from './api-request.ts';
import { startChild } from './child-server.ts';
import { openConnection } from './connection.ts';
import { logRuns } from './log-runs.ts';
import { openBareAnswer } from './open-bare-answer.ts';
import { openCacheGateway } from './open-cache-gateway.ts';
import type { BenchOptions } from './options.ts';
import type { Say } from './progress.ts';
import type { RecordedRequest } from './recorder.ts';
import { repeatUntil } from './repeat-until.ts';
import { ROUNDS } from './search-load.ts';
import { openSourcedConnection } from './sourced-connection.ts';
import { median, type Percentiles, percentilesOf } from './statistics.ts';
import { type Open, withServices } from './with-services.ts';

/** Who gives the same bytes. */
const SIDES = ['memory', 'copies', 'redis', 'bareMemory', 'bareRedis'] as const;
export type HitSide = (typeof SIDES)[number];

export interface HitLoad extends Percentiles {
  readonly perSecond: number;
}

export interface HitsResult {
  readonly answerBytes: number;
  readonly rounds: number;
  readonly loads: readonly { readonly clients: number; readonly of: Readonly<Record<HitSide, HitLoad>> }[];
}

const CLIENTS = [1, 16, 64];
const RUNS = 100;
const BARE_KEY = 'bench-bare';

/** Hits of a page of 100 runs, against Express alone that has the same bytes in memory, or gets them from Redis. */
export const benchHits = ({ seconds, profile }: BenchOptions, say: Say): Promise<HitsResult> =>
  withServices(async (open) => {
    const [mlflow, redis] = await Promise.all([open(startMlflow()), open(startRedis())]);
    say('Logging runs');
    const [experimentId = ''] = await createExperiments(mlflow.url, 1, 'bench');
    for (let logged = 0; logged < RUNS; )
      logged += Math.floor(seconds * (await logRuns(mlflow.url, experimentId, 2, seconds)));
    const request = toApiRequest('search', { experiment_ids: [experimentId], max_results: RUNS });

    const toRedis = ['--upstream', mlflow.url, '--redis', redis.url];
    const gateways = {
      memory: await openCacheGateway(open, { store: 'memory', args: ['--upstream', mlflow.url], profile }),
      redis: await openCacheGateway(open, { store: 'redis', args: toRedis, profile }),
      copies: await openCacheGateway(open, {
        store: 'redis',
        args: toRedis,
        profile,
        env: { GATEWAY_CACHE_MAX_MEMORY_BYTES: '67108864' },
      }),
    };
    const answer = await warm(
      open,
      Object.values(gateways).map(({ url }) => url),
      request,
    );
    const sides: Record<HitSide, { readonly url: string }> = {
      ...gateways,
      bareMemory: await openBare(open, answer),
      bareRedis: await openBareRedis(open, redis.url, answer),
    };
    for (const { url } of Object.values(sides)) await checkSame(open, url, request, answer);

    const loads = [];
    for (const clients of CLIENTS) {
      say(`${clients} clients: ${ROUNDS} rounds of ${seconds} s each`);
      const load = (side: HitSide) => () => loadHits(sides[side].url, request, clients, seconds);
      const rounds = await alternate(
        Object.fromEntries(SIDES.map((side) => [side, load(side)])) as Record<HitSide, () => Promise<HitLoad>>,
        ROUNDS,
      );
      const of = Object.fromEntries(SIDES.map((side) => [side, mediansOf(rounds[side])])) as Record<HitSide, HitLoad>;
      loads.push({ clients, of });
    }
    await Promise.all(Object.values(gateways).map(({ url }) => checkSame(open, url, request, answer, 'HIT')));
    return { answerBytes: answer.length, rounds: ROUNDS, loads };
  });

/** The answer, once each gateway has it in its cache. @throws Error when they differ. */
async function warm(open: Open, urls: readonly string[], request: RecordedRequest): Promise<Buffer> {
  let first: Buffer | undefined;
  for (const url of urls) {
    const { ask, takeSources } = await openSourcedConnection(open, url);
    const { answer } = await repeatUntil(
      () => ask(request),
      () => takeSources().includes('cache'),
    );
    first ??= answer;
    if (!answer.equals(first)) throw new Error(`${url} gives other bytes.`);
  }
  return first ?? Buffer.alloc(0);
}

/** @throws Error unless the bytes are these, and from where they should be. */
async function checkSame(open: Open, url: string, request: RecordedRequest, answer: Buffer, cache?: string) {
  const isRight = (headers: Record<string, unknown>) => cache === undefined || headers['x-cache'] === cache;
  const ask = await openConnection(open, url, { isRight });
  if (!(await ask(request)).equals(answer)) throw new Error(`${url} gives other bytes.`);
}

async function openBare(open: Open, answer: Buffer) {
  const { server, answerWith } = await openBareAnswer(open);
  await answerWith(answer);
  return server;
}

async function openBareRedis(open: Open, redisUrl: string, answer: Buffer) {
  const redis = new Redis(redisUrl);
  await redis.set(BARE_KEY, answer);
  redis.disconnect();
  return open(startChild('bare-redis-answer.ts', [redisUrl, BARE_KEY]));
}

async function loadHits(url: string, request: RecordedRequest, clients: number, seconds: number): Promise<HitLoad> {
  const { method, path, headers, body } = request;
  const options = { url: url + path, method: method as 'POST', headers, body, connections: clients, duration: seconds };
  const times: number[] = [];
  const start = performance.now();
  const { requests, errors, non2xx } = await new Promise<autocannon.Result>((resolve, reject) => {
    const load = autocannon(options, (error, result) => (error ? reject(error) : resolve(result)));
    load.on('response', (_client, _status, _bytes, ms) => times.push(ms));
  });
  if (errors + non2xx > 0) throw new Error(`${url} failed ${errors + non2xx} times`);
  return { ...percentilesOf(times), perSecond: (requests.total * 1_000) / (performance.now() - start) };
}

const mediansOf = (rounds: readonly HitLoad[]): HitLoad => ({
  perSecond: median(rounds.map(({ perSecond }) => perSecond)),
  p50: median(rounds.map(({ p50 }) => p50)),
  p95: median(rounds.map(({ p95 }) => p95)),
  p99: median(rounds.map(({ p99 }) => p99)),
});
