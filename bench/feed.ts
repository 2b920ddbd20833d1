import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createRun } from '../test/fixtures/create-run.ts';
import { type GatewayProcess, startGateway } from '../test/fixtures/gateway-process.ts';
import { createExperiments } from '../test/fuzz/load-runs.ts';
import { Random } from '../test/fuzz/random.ts';
import { startElasticsearch } from '../test/services/elasticsearch.ts';
import { alternate } from './alternate.ts';
import { toApiRequest } from './api-request.ts';
import { type Ask, openConnection } from './connection.ts';
import { gatewayEnv, WITHOUT_RECONCILING } from './gateway-env.ts';
import { loadMlflow } from './load-mlflow.ts';
import { makeRuns } from './make-runs.ts';
import { startMlflowOnFile } from './mlflow-on-file.ts';
import { openFolder } from './open-folder.ts';
import type { BenchOptions } from './options.ts';
import { type Say, withProgress } from './progress.ts';
import { countRuns } from './same-runs.ts';
import { type Percentiles, percentilesOf } from './statistics.ts';
import { untilComplete } from './until-complete.ts';
import { type Open, withServices } from './with-services.ts';

/** Who takes a batch: MLflow itself, a gateway that keeps nothing, gateways that keep an index. */
export type Way = 'mlflow' | 'plain' | 'elasticsearch' | 'sqlite';
/** How a search after a write is answered: by MLflow, by an index that has every write, by an index as it is. */
export type Reading = 'MLflow' | `${'Elasticsearch' | 'SQLite'}, ${'strict' | 'eventual'}`;

export interface FeedResult {
  /** Of one `log-batch` after the other. */
  readonly batches: Readonly<Record<Way, Percentiles>>;
  /** The same, without an index and with one that is compared with MLflow meanwhile. */
  readonly comparing: Readonly<Record<'plain' | 'sqlite', Percentiles>>;
  /** Of a search right after a write, which should find it. */
  readonly pairs: Readonly<Record<Reading, Percentiles & { readonly misses: number }>>;
}

const EXPERIMENTS = 20;
const WARM_UP = 50;
/** Batches one after the other by one way, those before the first that counts, and the pause until another way's turn, in ms. */
const BLOCK = 200;
const BLOCK_WARM_UP = 5;
const SETTLE_MS = 2_000;
/** Of logging beside a comparison, which has passes once a minute, and until it has caught up after its start, in ms. */
const COMPARING_MS = 70_000;
const CATCH_UP_MS = 20_000;
const COMPARING_ROUNDS = 2;

/** What it costs to keep an index: every write, and every search after a write. */
export const benchFeed = (options: BenchOptions, say: Say): Promise<FeedResult> =>
  withServices(async (open) => {
    const folder = await openFolder(open, 'feed');
    const mlflow = await open(startMlflowOnFile(join(folder, 'mlflow.db')));
    const elasticsearch = await open(startElasticsearch({ heapMb: 1_024 }));
    const experimentIds = await createExperiments(mlflow.url, EXPERIMENTS, 'bench');
    await loadMlflow(mlflow.databaseUri, withProgress(makeRuns(options.runs, experimentIds), 'MLflow', say));
    say('Filling the indexes');
    const env = gatewayEnv(options.profile);
    // What one gateway compares would slow down whoever's turn it is.
    const quietEnv = { ...env, ...WITHOUT_RECONCILING };
    const startOne = (store: string, ...args: string[]) =>
      open(startGateway(['--upstream', mlflow.url, ...args], { ...quietEnv, GATEWAY_INDEX_STORE: store }));
    const withElasticsearch = await startOne('elasticsearch', '--elasticsearch', elasticsearch.url);
    await untilComplete(withElasticsearch);
    const withSqlite = await startOne('sqlite');
    await untilComplete(withSqlite);
    const plain = await startOne('none');
    const urls = {
      mlflow: mlflow.url,
      plain: plain.url,
      elasticsearch: withElasticsearch.url,
      sqlite: withSqlite.url,
    };
    say('Batches');
    const batches = await timeBatches(open, urls, experimentIds[0] ?? '', options.samples);
    say('Searches after writes');
    const pairs = await timePairs(open, urls, experimentIds[1] ?? '', options.samples);
    say('Batches beside a comparison');
    // Each time with an index of its own: one that goes on with another's begins by comparing every run.
    const startComparing = async () => {
      const dataDir = await mkdtemp(join(folder, 'data-'));
      return startGateway(['--upstream', mlflow.url, '--data-dir', dataDir], { ...env, GATEWAY_INDEX_STORE: 'sqlite' });
    };
    const comparing = await timeComparing(plain.url, startComparing, experimentIds[2] ?? '');
    return { batches, comparing, pairs };
  });

/**
 * In blocks: what a gateway does after its answers, such as reading the run again, meets the next writes of the same way,
 * and has ended before those of another.
 */
async function timeBatches(open: Open, urls: Record<Way, string>, experimentId: string, samples: number) {
  const random = new Random(2);
  const ways = Object.keys(urls) as Way[];
  const times: Record<Way, number[]> = { mlflow: [], plain: [], elasticsearch: [], sqlite: [] };
  const logging = async (way: Way) => {
    const log = await openLog(open, urls[way], experimentId);
    return async () => {
      for (let i = -BLOCK_WARM_UP; i < BLOCK; i++) {
        const spentMs = await log();
        if (i >= 0) times[way].push(spentMs);
      }
      await sleep(SETTLE_MS);
    };
  };
  const blocks = {
    mlflow: await logging('mlflow'),
    plain: await logging('plain'),
    elasticsearch: await logging('elasticsearch'),
    sqlite: await logging('sqlite'),
  };
  while (times.mlflow.length < samples) for (const way of random.some(ways, ways.length)) await blocks[way]();
  return {
    mlflow: percentilesOf(times.mlflow),
    plain: percentilesOf(times.plain),
    elasticsearch: percentilesOf(times.elasticsearch),
    sqlite: percentilesOf(times.sqlite),
  };
}

/** Logs batches to a run of its own. @returns what does so once, and tells how long it took, in ms */
async function openLog(open: Open, url: string, experimentId: string): Promise<() => Promise<number>> {
  const ask = await openConnection(open, url);
  const run_id = await createRun(url, { experiment_id: experimentId });
  let step = 0;
  return async () => {
    const metrics = Array.from({ length: 10 }, (_, i) => ({ key: `m${i}`, value: i, timestamp: ++step, step }));
    const start = performance.now();
    await ask(toApiRequest('log-batch', { run_id, metrics }));
    return performance.now() - start;
  };
}

/** In turns of a minute: the gateway that compares is there in its turn alone. */
async function timeComparing(plainUrl: string, start: () => Promise<GatewayProcess>, experimentId: string) {
  const logFor = (url: string) =>
    withServices(async (open) => {
      const log = await openLog(open, url, experimentId);
      const times: number[] = [];
      for (const end = performance.now() + COMPARING_MS; performance.now() < end; ) times.push(await log());
      return times;
    });
  const rounds = await alternate(
    {
      plain: () => logFor(plainUrl),
      sqlite: async () => {
        const gateway = await start();
        try {
          await untilComplete(gateway);
          await sleep(CATCH_UP_MS);
          return await logFor(gateway.url);
        } finally {
          await gateway.stop();
        }
      },
    },
    COMPARING_ROUNDS,
    0,
  );
  return { plain: percentilesOf(rounds.plain.flat()), sqlite: percentilesOf(rounds.sqlite.flat()) };
}

async function timePairs(open: Open, urls: Record<Way, string>, experimentId: string, samples: number) {
  const pairing = async (url: string, headers: Readonly<Record<string, string>>) => {
    const run_id = await createRun(url, { experiment_id: experimentId });
    return { ask: await openConnection(open, url), run_id, headers, times: [] as number[], misses: 0 };
  };
  const strict = { 'x-gateway-consistency': 'strict' };
  const eventual = { 'x-gateway-consistency': 'eventual' };
  const sides = {
    MLflow: await pairing(urls.mlflow, {}),
    'Elasticsearch, strict': await pairing(urls.elasticsearch, strict),
    'Elasticsearch, eventual': await pairing(urls.elasticsearch, eventual),
    'SQLite, strict': await pairing(urls.sqlite, strict),
    'SQLite, eventual': await pairing(urls.sqlite, eventual),
  } satisfies Record<Reading, unknown>;
  for (let i = -WARM_UP; i < samples; i++) {
    for (const side of Object.values(sides)) {
      const { found, ms } = await writeAndSearch(side, experimentId, `${i}`);
      if (i < 0) continue;
      side.times.push(ms);
      if (!found) side.misses++;
    }
  }
  const results = Object.entries(sides).map(([reading, { times, misses }]) => [
    reading,
    { ...percentilesOf(times), misses },
  ]);
  return Object.fromEntries(results) as FeedResult['pairs'];
}

async function writeAndSearch(
  { ask, run_id, headers }: { readonly ask: Ask; readonly run_id: string; readonly headers: Record<string, string> },
  experimentId: string,
  value: string,
) {
  await ask(toApiRequest('set-tag', { run_id, key: `pair-${run_id}`, value }));
  const search = { experiment_ids: [experimentId], filter: `tags.\`pair-${run_id}\` = '${value}'` };
  const start = performance.now();
  const answer = await ask(toApiRequest('search', search, headers));
  return { found: countRuns(answer) === 1, ms: performance.now() - start };
}
