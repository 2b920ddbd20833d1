import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createElasticsearchIndex, type ElasticsearchOptions } from '../../adapters/elasticsearch/index.ts';
import type { RunsIndex } from '../../src/plan/runs-index.ts';
import { elasticsearchOptions } from '../fixtures/elasticsearch-place.ts';
import { fillIndex } from '../fixtures/fill-index.ts';
import { plainRun } from '../fixtures/plain-run.ts';
import { runJson } from '../fixtures/run-json.ts';
import { runQuery } from '../fixtures/run-query.ts';
import { answerOf, textsOf } from '../fixtures/run-reference.ts';
import { ELASTICSEARCH_USER, type Elasticsearch, startElasticsearch } from '../services/elasticsearch.ts';

const password = 'correct horse';
const run = runJson(plainRun());
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
  await fillIndex(index, [run]);
  await index.recordCoverage(['1'], 'complete', epoch);
  expect(await index.coverage(['1'], await index.epoch())).toEqual(new Map([['1', 'complete']]));
  expect(await answerOf(index, runQuery())).toEqual([run]);
  const page = await index
    .pushDown(runQuery())
    .fetch({ limit: 50_000, from: { offset: 0 } }, new AbortController().signal);
  expect(textsOf(page)).toEqual([run]);
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
