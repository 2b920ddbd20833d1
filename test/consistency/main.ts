import { setTimeout as sleep } from 'node:timers/promises';
import { startGateway } from '../fixtures/gateway-process.ts';
import { interrupted } from '../fixtures/interrupted.ts';
import { OwnRedis } from '../fixtures/own-redis.ts';
import { UnreliableProxy } from '../fixtures/unreliable-proxy.ts';
import { Random } from '../fuzz/random.ts';
import { startMlflow } from '../services/mlflow.ts';
import { Client } from './client.ts';
import { makeSubjects } from './make-subjects.ts';
import { type ConsistencyOptions, HELP, readOptions } from './options.ts';
import { pickRead } from './reads.ts';
import type { ExperimentSubject } from './subject.ts';

const EXPERIMENTS = 20;
const RUNS = 5;
const PROGRESS_MS = 10_000;
/** Of the answers of MLflow to reads, and for how long at most, in ms. */
const SHARE_HELD = 0.1;
const MAX_HELD_MS = 400;
/** Between two troubles of Redis, and how long a pause lasts, in ms. */
const CALM_MS = [2_000, 30_000] as const;
const PAUSE_MS = [20, 2_000] as const;
/** A time to live would end what is wrong. */
const LASTING = { GATEWAY_CACHE_TTL_SECONDS: '86400', GATEWAY_LOG_LEVEL: 'warn' };
/** Examples that are printed. */
const MAX_SHOWN = 10;

const print = (line: string) => process.stdout.write(`${line}\n`);

/** What has been done, and what was wrong with it. */
class Tally {
  writes = 0;
  reads = 0;
  pauses = 0;
  flushes = 0;
  returns = 0;
  readonly caches = new Map<string, number>();
  readonly wrong: string[] = [];

  get operations(): number {
    return this.writes + this.reads;
  }

  toString(): string {
    const caches = [...this.caches].map(([cache, count]) => `${cache} ${((100 * count) / this.reads).toFixed(1)} %`);
    return (
      `${this.reads} reads (${caches.join(', ')}), ${this.writes} writes, ` +
      `Redis paused ${this.pauses} times, emptied ${this.flushes} times and back with an older state ${this.returns} times: ` +
      `${this.wrong.length} wrong answers`
    );
  }
}

async function read(client: Client, experiments: readonly ExperimentSubject[], random: Random, tally: Tally) {
  const { about, ask, valuesIn } = pickRead(experiments, random);
  const least = about.map(({ acknowledged }) => acknowledged);
  const { json, cache } = await ask(client);
  tally.reads++;
  tally.caches.set(cache, (tally.caches.get(cache) ?? 0) + 1);
  for (const [i, value] of valuesIn(json).entries()) {
    const [low = 0, high = 0] = [least[i], about[i]?.sent];
    if (value >= low && value <= high) continue;
    tally.wrong.push(`${cache}: ${value} where ${low} was acknowledged and ${high} sent: ${JSON.stringify(json)}`);
  }
}

async function write(client: Client, experiments: readonly ExperimentSubject[], random: Random, tally: Tally) {
  const { id, mark, runs } = random.pick(experiments);
  const run = random.pick(runs);
  const chance = random.next();
  const tag = (value: number) => ({ key: 'mark', value: `${value}` });
  const done =
    chance < 0.6
      ? run.mark.write(async (value) => void (await client.post('/runs/set-tag', { run_id: run.id, ...tag(value) })))
      : chance < 0.97
        ? run.values.write(async (step) => {
            await client.post('/runs/log-metric', { run_id: run.id, key: 'm', value: step, step, timestamp: 1 });
          })
        : mark.write(async (value) => {
            await client.post('/experiments/set-experiment-tag', { experiment_id: id, ...tag(value) });
          });
  if (await done) tally.writes++;
}

/** Pauses Redis, empties it, and has it come back with what it had before some writes, until the signal aborts. */
async function trouble(redis: OwnRedis, random: Random, tally: Tally, signal: AbortSignal): Promise<void> {
  const wait = (ms: number) => sleep(ms, undefined, { signal }).catch(() => undefined);
  while (!signal.aborted) {
    await wait(random.int(...CALM_MS));
    if (random.chance(0.2)) {
      const dump = random.chance(0.5) ? await redis.save() : undefined;
      await wait(random.int(...PAUSE_MS));
      await redis.kill();
      await redis.restart(dump);
      if (dump) tally.returns++;
      else tally.flushes++;
      continue;
    }
    redis.hang();
    await wait(random.int(...PAUSE_MS));
    redis.wake();
    tally.pauses++;
  }
}

async function run({ operations, clients, seed, shareOfWrites }: ConsistencyOptions, stopped: AbortSignal) {
  const opened: { stop(): Promise<unknown> }[] = [];
  const open = async <S extends { stop(): Promise<unknown> }>(starting: Promise<S>): Promise<S> => {
    const started = await starting;
    opened.push(started);
    return started;
  };
  const tally = new Tally();
  const done = new AbortController();
  try {
    const mlflow = await open(startMlflow());
    const redis = await open(OwnRedis.start());
    const random = new Random(seed);
    const slow = await open(UnreliableProxy.start(mlflow.url));
    const experiments = await makeSubjects(mlflow.url, EXPERIMENTS, RUNS);
    slow.misbehave(({ method, path }) =>
      (method === 'GET' || path.endsWith('/search')) && random.chance(SHARE_HELD)
        ? { heldMs: random.int(0, MAX_HELD_MS) }
        : undefined,
    );
    const args = ['--upstream', slow.url, '--redis', redis.url];
    const gateways = [await open(startGateway(args, LASTING)), await open(startGateway(args, LASTING))];
    const connections = gateways.map(({ url }) => new Client(url, clients));
    const begin = performance.now();
    const progress = setInterval(() => {
      const seconds = (performance.now() - begin) / 1_000;
      print(`${seconds.toFixed(0)} s, ${(tally.operations / seconds).toFixed(0)} a second: ${tally}`);
    }, PROGRESS_MS);
    const troubled = trouble(redis, new Random(seed + 1), tally, done.signal);
    const client = async (own: Random) => {
      while (tally.operations < operations && !stopped.aborted) {
        const act = own.chance(shareOfWrites) ? write : read;
        await act(own.pick(connections), experiments, own, tally);
      }
    };
    try {
      await Promise.all(Array.from({ length: clients }, (_, i) => client(new Random(seed + 100 + i))));
    } finally {
      clearInterval(progress);
      done.abort();
      await troubled;
      for (const connection of connections) await connection.close();
    }
  } finally {
    for (const service of opened.reverse()) await service.stop();
  }
  return tally;
}

async function main(): Promise<void> {
  const options = readOptions(process.argv.slice(2));
  if (!options) return void print(HELP);
  print(`seed ${options.seed}`);
  const stopped = interrupted();
  const tally = await run(options, stopped);
  print(`${tally}`);
  for (const example of tally.wrong.slice(0, MAX_SHOWN)) print(`  ${example.slice(0, 400)}`);
  process.exitCode = tally.wrong.length === 0 ? 0 : 1;
}

await main().catch((error: Error) => {
  process.stderr.write(`${error.stack}\n`);
  process.exitCode = 1;
});
