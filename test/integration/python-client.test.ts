import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { startGateway } from '../fixtures/gateway-process.ts';
import type { Service } from '../services/launch.ts';
import { installMlflow, startMlflow } from '../services/mlflow.ts';

const SCRIPT = fileURLToPath(new URL('python-client/main.py', import.meta.url));
const PARTS = [
  'experiments',
  'runs',
  'artifacts',
  'run_search',
  'read_your_writes',
  'refusals',
  'registry',
  'logged_models',
  'traces',
  'training',
] as const;
const MAX_OUTPUT_BYTES = 2 ** 26;
const execute = promisify(execFile);
const ROUND_TIMEOUT_MS = 600_000; // a minute by far suffices, on a machine that does nothing else

type Part = (typeof PARTS)[number];
type Transcript = Readonly<Record<Part, readonly (readonly [what: string, seen: unknown])[]>>;

interface Observed {
  readonly endpoint: string;
  readonly status: number;
  readonly source: 'index' | 'cache' | 'backend' | null;
  readonly asked: unknown;
}

interface Round {
  readonly transcript: Transcript;
  /** The answers of the endpoints that a gateway answers itself. */
  readonly requests: readonly Observed[];
}

const GATEWAYS = {
  'a gateway with index and Redis': {
    flags: ['--elasticsearch', inject('elasticsearchUrl'), '--redis', inject('redisUrl')],
    searchSource: 'index',
  },
  'a gateway without index, with memory cache': { flags: [], searchSource: 'backend' },
} as const;

/** Of its own: what other tests write at the same time slows a server down, or makes it fail. */
let mlflow: Service;
let plain: Round;

beforeAll(async () => {
  mlflow = await startMlflow();
  plain = await play(mlflow.url);
}, ROUND_TIMEOUT_MS);

afterAll(() => mlflow?.stop());

it('sees with MLflow alone what it should', () => {
  expect(Object.keys(plain.transcript)).toEqual(PARTS);
  const { read_your_writes: own, run_search: search, runs } = plain.transcript;
  const metricRounds = Array.from({ length: 50 }, (_, n) => [[0, 0, n ? n - 1 : null], [1, 1, n], 0]);
  expect(seen(own, 'by metric')).toEqual(metricRounds);
  expect(seen(search, 'where metrics.accuracy > 0.8')).toEqual(['run-23', 'run-22', 'run-21', 'run-20']);
  expect(seen(runs, 'each thread found its own writes')).toEqual(Array(4).fill([1, 1, 1, 1, 1]));
});

describe.each(Object.entries(GATEWAYS))('through %s', (_name, { flags, searchSource }) => {
  let gateway: Awaited<ReturnType<typeof startGateway>>;
  let through: Round;

  beforeAll(async () => {
    const own = `python-client-${process.pid}`;
    gateway = await startGateway(['--upstream', mlflow.url, ...flags], {
      GATEWAY_LOG_LEVEL: 'warn',
      GATEWAY_ELASTICSEARCH_INDEX: own,
      GATEWAY_REDIS_KEY_PREFIX: own,
      // On a busy machine a Redis may be slow, and reads far apart, without being wrong.
      GATEWAY_REDIS_COMMAND_TIMEOUT_MS: '2000',
      GATEWAY_CACHE_TTL_SECONDS: '600',
    });
    through = await play(gateway.url);
  }, ROUND_TIMEOUT_MS);

  afterAll(() => gateway?.stop());

  it.each(PARTS)("MLflow's Python client sees the same: %s", (part) => {
    expect(through.transcript[part]).toEqual(plain.transcript[part]);
  });

  it('says of every native answer where it came from', () => {
    expect(through.requests.filter(({ source }) => source === null)).toEqual([]);
    expect(through.requests.length).toBeGreaterThan(0.9 * plain.requests.length);
  });

  it(`answers nine in ten good searches that no cache has from the ${searchSource}`, () => {
    const searches = through.requests.filter(({ endpoint, status }) => endpoint === 'runs/search' && status === 200);
    const uncached = searches.filter(({ source }) => source !== 'cache');
    const others = uncached.filter(({ source }) => source !== searchSource).map(({ asked }) => asked);
    expect(uncached.length).toBeGreaterThan(300);
    expect(others.length / uncached.length, others.map((asked) => JSON.stringify(asked)).join('\n')).toBeLessThan(0.1);
  });

  it('answers repeated reads from the cache', () => {
    for (const repeated of ['runs/search', 'runs/get', 'experiments/get'])
      expect(through.requests).toContainEqual(expect.objectContaining({ endpoint: repeated, source: 'cache' }));
  });
});

describe('with the gateway alone, without MLflow behind it', () => {
  const parts = ['experiments', 'runs', 'artifacts', 'run_search', 'read_your_writes', 'refusals', 'training'] as const;
  let gateway: Awaited<ReturnType<typeof startGateway>>;
  let folder: string;
  let embedded: Round;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'store-'));
    gateway = await startGateway(['--data-dir', folder]);
    embedded = await play(gateway.url, parts);
  }, ROUND_TIMEOUT_MS);

  afterAll(async () => {
    await gateway.stop();
    await rm(folder, { recursive: true });
  });

  it.each(parts)("MLflow's Python client sees the same: %s", (part) => {
    expect(withoutQuotes(embedded.transcript[part])).toEqual(withoutQuotes(plain.transcript[part]));
  });
});

/** Without what MLflow's database says after a sentence of MLflow's own. */
const withoutQuotes = (part: Transcript[Part]) =>
  JSON.parse(JSON.stringify(part), (_key, value: unknown) =>
    typeof value === 'string' ? value.replace(/(already exists\. Error: ).*/s, '$1') : value,
  );

const seen = (part: Transcript[Part], what: string) => part.find(([name]) => name === what)?.[1];

/** Runs the script once. Python's sets must come in one order, because pandas' columns follow it. */
async function play(trackingUri: string, parts: readonly Part[] = []): Promise<Round> {
  const env = {
    PATH: process.env.PATH,
    HOME: process.env.HOME,
    PYTHONHASHSEED: '0',
    PYTHONDONTWRITEBYTECODE: '1',
  };
  const options = { env, maxBuffer: MAX_OUTPUT_BYTES };
  const playing = execute(await installMlflow(), [SCRIPT, trackingUri, ...parts], options);
  const { stdout } = await playing.catch((error: Error) => {
    throw new Error(`${error.message}\nThe end of MLflow's log:\n${mlflow.logTail()}`, { cause: error });
  });
  return JSON.parse(stdout);
}
