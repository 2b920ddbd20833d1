import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from '../test/consistency/client.ts';
import { makeSubjects } from '../test/consistency/make-subjects.ts';
import type { ExperimentSubject } from '../test/consistency/subject.ts';
import { startGateway } from '../test/fixtures/gateway-process.ts';
import { OwnRedis } from '../test/fixtures/own-redis.ts';
import { Random } from '../test/fuzz/random.ts';
import { startMlflow } from '../test/services/mlflow.ts';
import { askRedis } from '../test/services/redis.ts';
import { gatewayEnv } from './gateway-env.ts';
import type { BenchOptions } from './options.ts';
import type { Say } from './progress.ts';
import { percentile } from './statistics.ts';
import { loadSteadily, type Sample } from './steady-load.ts';
import { type Open, withServices } from './with-services.ts';

/** Times in ms. */
export interface Spread {
  readonly count: number;
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

export interface FaultPhase {
  readonly name: string;
  readonly reads: Spread;
  readonly writes: Spread;
  /** Of the reads. */
  readonly hitShare: number;
  readonly errors: number;
  /** Answers that are older than a write that was acknowledged before. */
  readonly wrong: number;
  /** From the end of the fault until every gateway has given a hit; NaN where there was none. */
  readonly hitsBackMs: number;
}

export interface RedisFaultsResult {
  readonly clients: number;
  readonly perSecond: number;
  readonly shareOfWrites: number;
  readonly sides: readonly { readonly gateways: number; readonly phases: readonly FaultPhase[] }[];
}

const GATEWAYS = [1, 2];
const EXPERIMENTS = 5;
const RUNS = 5;
const CLIENTS = 16;
const EVERY_MS = 400;
const SHARE_OF_WRITES = 0.05;
/** How long each phase goes on after its fault, in ms, and one without a fault lasts. */
const CALM_MS = 15_000;
const WARM_MS = 10_000;
const DOWN_MS = 5_000;
const PAUSE_MS = 30_000;

/** A time to live would end what is wrong. */
const ENV = { ...gatewayEnv(undefined), GATEWAY_CACHE_STORE: 'redis', GATEWAY_CACHE_TTL_SECONDS: '86400' };

/** What happens to Redis; each returns when that is over. */
const FAULTS: readonly [name: string, fault: (redis: OwnRedis) => Promise<void>][] = [
  ['none', async () => {}],
  [
    `killed, back after ${DOWN_MS / 1_000} s with an older state`,
    async (redis) => {
      const dump = await redis.save();
      await sleep(DOWN_MS);
      await redis.kill();
      await sleep(DOWN_MS);
      await redis.restart(dump);
    },
  ],
  [
    `paused for ${PAUSE_MS / 1_000} s`,
    async (redis) => {
      redis.hang();
      await sleep(PAUSE_MS);
      redis.wake();
    },
  ],
  ['flushed', async (redis) => void (await askRedis(redis.port, 'FLUSHALL'))],
  [
    'replaced by an empty one',
    async (redis) => {
      await redis.kill();
      await redis.restart();
    },
  ],
];

/** Reads and writes through one gateway, and through two, while their Redis fails in every way; and what MLflow itself takes. */
export const benchRedisFaults = (_: BenchOptions, say: Say): Promise<RedisFaultsResult> =>
  withServices(async (open) => {
    const mlflow = await open(startMlflow());
    const experiments = await makeSubjects(mlflow.url, EXPERIMENTS, RUNS);
    const sides = [];
    for (const gateways of GATEWAYS)
      sides.push({ gateways, phases: await loadSide(open, { mlflow: mlflow.url, gateways, experiments, say }) });
    return { clients: CLIENTS, perSecond: (CLIENTS * 1_000) / EVERY_MS, shareOfWrites: SHARE_OF_WRITES, sides };
  });

interface Side {
  readonly mlflow: string;
  readonly gateways: number;
  readonly experiments: readonly ExperimentSubject[];
  readonly say: Say;
}

async function loadSide(open: Open, { mlflow, gateways, experiments, say }: Side): Promise<FaultPhase[]> {
  const redis = await open(OwnRedis.start());
  const urls: string[] = [];
  for (let i = 0; i < gateways; i++)
    urls.push((await open(startGateway(['--upstream', mlflow, '--redis', redis.url], ENV))).url);
  const random = new Random(gateways);
  const phase = async (name: string, servers: readonly string[], fault: () => Promise<void>): Promise<FaultPhase> => {
    say(`${gateways} gateways: ${name}`);
    const clients = servers.map((url) => new Client(url, CLIENTS));
    const samples: Sample[] = [];
    const done = new AbortController();
    const loading = loadSteadily({
      ...{ servers: clients, experiments, random, clients: CLIENTS, everyMs: EVERY_MS },
      shareOfWrites: SHARE_OF_WRITES,
      signal: done.signal,
      onSample: (sample) => samples.push(sample),
    });
    await fault();
    const overAt = performance.now();
    await sleep(CALM_MS);
    done.abort();
    await loading;
    for (const client of clients) await client.close();
    return summarize(name, samples, overAt, servers.length);
  };
  const phases = [await phase('MLflow itself', [mlflow], async () => {})];
  // Both take part, and have something to lose.
  await phase('warming up', urls, () => sleep(WARM_MS));
  for (const [name, fault] of FAULTS) phases.push(await phase(name, urls, () => fault(redis)));
  return phases;
}

function summarize(name: string, samples: readonly Sample[], overAt: number, servers: number): FaultPhase {
  for (const { error } of samples) if (error !== undefined) process.stderr.write(`${name}: ${error}\n`);
  const of = (kind: Sample['kind']) => samples.filter((sample) => sample.kind === kind);
  const hits = of('read').filter(({ cache }) => cache === 'HIT');
  const backMs = Array.from({ length: servers }, (_, server) =>
    Math.min(...hits.filter((hit) => hit.server === server && hit.at >= overAt).map(({ at, ms }) => at + ms - overAt)),
  );
  return {
    name,
    reads: spreadOf(of('read')),
    writes: spreadOf(of('write')),
    hitShare: hits.length / of('read').length,
    errors: samples.filter(({ error }) => error !== undefined).length,
    wrong: samples.filter(({ isWrong }) => isWrong).length,
    hitsBackMs: hits.length > 0 ? Math.max(...backMs) : Number.NaN,
  };
}

function spreadOf(samples: readonly Sample[]): Spread {
  const times = samples.map(({ ms }) => ms);
  return { count: times.length, p50: percentile(times, 0.5), p99: percentile(times, 0.99), max: Math.max(...times) };
}
