import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findCollatedPair } from '../../adapters/mlflow/index.ts';
import { UpstreamClient } from '../../src/upstream/upstream-client.ts';
import { createRun } from '../fixtures/create-run.ts';
import { type GatewayProcess, startGateway, waitForIndex } from '../fixtures/gateway-process.ts';
import { postJson } from '../fixtures/post-json.ts';
import { startMlflowOverPostgresql } from '../services/mlflow.ts';

const COLLATIONS = ['C.UTF-8', 'icu-en-US'] as const;
type Collation = (typeof COLLATIONS)[number];

/** In the order of their bytes; people sort letters without regard to case, and signs first. */
const TEXTS = ['', '10', '9', 'A', 'B b', 'Bb', 'Z', '_', 'a', 'aa', 'b', 'z', 'Ä', 'é', '\uffee', '😀'];
const ORDERS = ['params.p', 'params.p DESC', 'tags.t', 'tags.t DESC', 'attributes.run_name', 'attributes.user_id DESC'];

interface Pair {
  readonly mlflow: string;
  readonly gateway: GatewayProcess;
  readonly experimentId: string;
}

const pairs = new Map<Collation, Pair>();
const opened: { stop(): Promise<unknown> }[] = [];

async function open(collation: Collation): Promise<void> {
  const server = await startMlflowOverPostgresql({ collation });
  opened.unshift(server);
  const api = (path: string, body: object) => postJson(`${server.url}/api/2.0/mlflow/${path}`, body);
  const [experimentId = ''] = await Promise.all(
    ['apple', 'Zebra'].map(async (name) => {
      const answer = await api('experiments/create', { name });
      return ((await answer.json()) as { experiment_id: string }).experiment_id;
    }),
  );
  for (const text of TEXTS.toReversed()) {
    const runId = await createRun(server.url, {
      ...{ experiment_id: experimentId, run_name: `n${text}`, user_id: `u${text}`, start_time: 1 },
    });
    const [params, tags] = [[{ key: 'p', value: text }], [{ key: 't', value: `t${text}` }]];
    await api('runs/log-batch', { run_id: runId, params, tags });
  }
  await createRun(server.url, { experiment_id: experimentId, start_time: 2 });
  const gateway = await startGateway(['--upstream', server.url], {
    GATEWAY_INDEX_STORE: 'sqlite',
    GATEWAY_CACHE_STORE: 'none',
    GATEWAY_DIALECT: 'postgresql-c',
  });
  opened.unshift(gateway);
  await waitForIndex(gateway, [experimentId]);
  pairs.set(collation, { mlflow: server.url, gateway, experimentId });
}

const pairOf = (collation: Collation) => pairs.get(collation) as Pair;

beforeAll(async () => {
  await Promise.all(COLLATIONS.map(open));
}, 300_000);

afterAll(async () => {
  for (const service of opened) await service.stop();
});

async function search(url: string, experimentId: string, orderBy: string, pageToken?: string) {
  const body = { experiment_ids: [experimentId], order_by: [orderBy], max_results: 5, page_token: pageToken };
  const answer = await postJson(`${url}/api/2.0/mlflow/runs/search`, body);
  const { runs, next_page_token } = (await answer.json()) as { runs: unknown[]; next_page_token?: string };
  return { source: answer.headers.get('x-gateway-source'), runs, next: next_page_token };
}

/** All pages, and where they came from. */
async function searchAll(url: string, experimentId: string, orderBy: string) {
  const runs: unknown[] = [];
  const sources = new Set<string | null>();
  for (let next: string | undefined; ; ) {
    const page = await search(url, experimentId, orderBy, next);
    runs.push(...page.runs);
    sources.add(page.source);
    next = page.next;
    if (next === undefined) return { runs, sources: [...sources] };
  }
}

describe.each([
  ['C.UTF-8', 'index'],
  ['icu-en-US', 'backend'],
] as const)('over a PostgreSQL that sorts by %s', (collation, source) => {
  it.each(ORDERS)(`searches ordered by %s are answered as MLflow does, by the ${source}`, async (orderBy) => {
    const { mlflow, gateway, experimentId } = pairOf(collation);
    const expected = await searchAll(mlflow, experimentId, orderBy);
    expect(expected.runs).toHaveLength(TEXTS.length + 1);
    expect(await searchAll(gateway.url, experimentId, orderBy)).toEqual({ runs: expected.runs, sources: [source] });
  });
});

it('is not believed to sort by bytes when its experiments show that it does not', async () => {
  const pairIn = async (collation: Collation) => {
    const client = new UpstreamClient({ url: pairOf(collation).mlflow, timeoutMs: 10_000, connections: 1 });
    try {
      return await findCollatedPair(client, AbortSignal.timeout(10_000));
    } finally {
      await client.close();
    }
  };
  expect(await pairIn('C.UTF-8')).toBeUndefined();
  expect(await pairIn('icu-en-US')).toEqual(['apple', 'Default']);
  expect(pairOf('icu-en-US').gateway.output()).toContain('"names":["apple","Default"]');
  expect(pairOf('C.UTF-8').gateway.output()).not.toContain('"names"');
});
