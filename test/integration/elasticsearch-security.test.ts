import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createElasticsearchIndex, type ElasticsearchOptions } from '../../adapters/elasticsearch/index.ts';
import type { RunsIndex } from '../../src/plan/runs-index.ts';
import { totalOrder } from '../../src/query/order.ts';
import { elasticsearchOptions, fill } from '../fixtures/elasticsearch-index.ts';
import { runJson } from '../fixtures/run-json.ts';
import { answerOf } from '../fixtures/run-reference.ts';
import { type CaseRun, searchCases, toRun } from '../fixtures/search-cases.ts';
import { ELASTICSEARCH_USER, type Elasticsearch, startElasticsearch } from '../services/elasticsearch.ts';

const password = 'correct horse';
const run = runJson(toRun(searchCases.dataset[0] as CaseRun, 'a'.repeat(32), '1'));
const query = {
  experimentIds: ['1'],
  view: 'all',
  filter: undefined,
  order: totalOrder([]),
  dialect: 'sqlite',
} as const;
const opened: RunsIndex[] = [];
let server: Elasticsearch;

beforeAll(async () => {
  server = await startElasticsearch({ heapMb: 512, security: { password, tls: true } });
});

afterAll(async () => {
  for (const index of opened) await index.close();
  await server?.stop();
});

function open(options: Partial<ElasticsearchOptions>): RunsIndex {
  const index = createElasticsearchIndex({ ...elasticsearchOptions(server.url), ...options });
  opened.push(index);
  return index;
}

async function expectToWork(index: RunsIndex): Promise<void> {
  await index.prepare();
  await index.ping();
  const epoch = await index.beginEpoch();
  await fill(index, [run]);
  await index.recordCoverage(['1'], 'complete', epoch);
  expect(await index.coverage(['1'], await index.epoch())).toEqual(new Map([['1', 'complete']]));
  expect(await answerOf(index, query)).toEqual([run]);
  const page = await index.pushDown(query).fetch({ limit: 50_000, from: { offset: 0 } }, new AbortController().signal);
  expect(page.runs).toEqual([run]);
}

describe('Elasticsearch with TLS and passwords', () => {
  it('lets in who has the password and trusts its authority', async () => {
    await expectToWork(open({ username: ELASTICSEARCH_USER, password, ca: server.ca }));
  });

  it('tells who has not', async () => {
    const wrong = open({ username: ELASTICSEARCH_USER, password: 'wrong', ca: server.ca });
    await expect(wrong.prepare()).rejects.toMatchObject({
      code: 'TEMPORARILY_UNAVAILABLE',
      message: expect.stringMatching(/401/),
    });
    await expect(wrong.ping()).rejects.toMatchObject({
      code: 'TEMPORARILY_UNAVAILABLE',
      message: expect.stringMatching(/401/),
    });
    const nobody = open({ ca: server.ca });
    await expect(nobody.prepare()).rejects.toMatchObject({ message: expect.stringMatching(/401/) });
  });

  it('is not spoken to when its certificate is not trusted, unless told to', async () => {
    const credentials = { username: ELASTICSEARCH_USER, password };
    await expect(open(credentials).prepare()).rejects.toMatchObject({
      code: 'TEMPORARILY_UNAVAILABLE',
      message: expect.stringMatching(/self-signed certificate/),
    });
    await expectToWork(open({ ...credentials, rejectUnauthorized: false }));
  });
});
