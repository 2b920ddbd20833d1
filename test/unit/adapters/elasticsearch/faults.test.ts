import type { IncomingMessage, ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { inspect } from 'node:util';
import { afterEach, describe, expect, it } from 'vitest';
import { createElasticsearchIndex, type ElasticsearchOptions } from '../../../../adapters/elasticsearch/index.ts';
import { MAPPING_VERSION } from '../../../../adapters/elasticsearch/mapping.ts';
import { Breaker, Refusal } from '../../../../src/faults/breaker.ts';
import type { RunsIndex } from '../../../../src/plan/runs-index.ts';
import { OwnServer } from '../../../fixtures/own-server.ts';
import { plainRun } from '../../../fixtures/plain-run.ts';
import { runJson } from '../../../fixtures/run-json.ts';
import { runQuery } from '../../../fixtures/run-query.ts';

type Answer = (request: IncomingMessage, response: ServerResponse, body: string) => void;

const json =
  (status: number, body: unknown): Answer =>
  (_request, response) =>
    response
      .writeHead(status, { 'content-type': 'application/json', 'x-elastic-product': 'Elasticsearch' })
      .end(JSON.stringify(body));

const MAPPING = json(200, { runs: { mappings: { _meta: { version: MAPPING_VERSION, identity: 'runs-1' } } } });
const closers: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

/** An index over a server that says just this, once the index is prepared. */
async function openOver(answer: Answer, options: Partial<ElasticsearchOptions> = {}): Promise<RunsIndex> {
  const server = await OwnServer.start();
  server.answer(async (request, response) => {
    const body = await text(request);
    (['/runs/_mapping', '/runs-1'].includes(request.url ?? '') ? MAPPING : answer)(request, response, body);
  });
  const index = createElasticsearchIndex({ url: server.url, index: 'runs', timeoutMs: 5_000, ...options });
  closers.push(
    () => index.close(),
    () => server.stop(),
  );
  await index.prepare();
  return index;
}

const search = (index: RunsIndex, signal = new AbortController().signal) =>
  index.pushDown(runQuery()).fetch({ limit: 10, from: { offset: 0 } }, signal);

const RUNS = ['0', '1'].map((runId) => runJson(plainRun({ runId })));
const hits = { hits: [{ _index: 'i', fields: { run: [Buffer.from('{}').toString('base64')] } }] };
const error = (type: string) => ({ error: { type, reason: 'some' } });

describe('a search', () => {
  it('is an answer only when all of the index took part', async () => {
    const whole = json(200, { timed_out: false, _shards: { failed: 0 }, hits });
    expect(await search(await openOver(whole))).toEqual({ runs: [Buffer.from('{}')], more: false });
  });

  it.each([
    ['timed out', json(200, { timed_out: true, _shards: { failed: 0 }, hits })],
    ['lost a shard', json(200, { timed_out: false, _shards: { failed: 1 }, hits })],
    ['was refused', json(429, error('es_rejected_execution_exception'))],
    ['failed', json(503, error('search_phase_execution_exception'))],
    [
      'met an error of a proxy',
      (_request: IncomingMessage, response: ServerResponse) => response.writeHead(502).end('<p>'),
    ],
    ['was cut off', (_request: IncomingMessage, response: ServerResponse) => response.destroy()],
  ] as [string, Answer][])('fails when it %s', async (_what, answer) => {
    await expect(search(await openOver(answer))).rejects.toMatchObject({ code: 'TEMPORARILY_UNAVAILABLE' });
  });

  it('is made again when a node says that it cannot answer now', async () => {
    const whole = json(200, { timed_out: false, _shards: { failed: 0 }, hits });
    let asked = 0;
    const index = await openOver((...args) => (++asked === 1 ? json(503, error('some')) : whole)(...args));
    expect(await search(index)).toEqual({ runs: [Buffer.from('{}')], more: false });
    expect(asked).toBe(2);
  });

  it.each([
    ['is cut off', 'TEMPORARILY_UNAVAILABLE', (response: ServerResponse) => response.destroy()],
    ['falls silent', 'DEADLINE_EXCEEDED', () => undefined],
  ] as const)('fails when its answer %s in the middle', async (_what, code, end) => {
    const index = await openOver(
      (_request, response) => {
        response.writeHead(200, { 'content-type': 'application/json', 'x-elastic-product': 'Elasticsearch' });
        response.write('{"took":1', () => end(response));
      },
      { timeoutMs: 500 },
    );
    await expect(search(index)).rejects.toMatchObject({ code });
  });

  it('fails when a run has lost its text', async () => {
    const answer = json(200, { timed_out: false, _shards: { failed: 0 }, hits: { hits: [{ _index: 'i' }] } });
    await expect(search(await openOver(answer))).rejects.toMatchObject({ code: 'INTERNAL_ERROR' });
  });

  it('fails when Elasticsearch is silent', async () => {
    const index = await openOver(() => undefined, { timeoutMs: 100 });
    await expect(search(index)).rejects.toMatchObject({ code: 'DEADLINE_EXCEEDED' });
  });

  it('ends at once when the client hangs up', async () => {
    const index = await openOver(() => undefined);
    const began = performance.now();
    await expect(search(index, AbortSignal.timeout(50))).rejects.toMatchObject({ code: 'CANCELLED' });
    expect(performance.now() - began).toBeLessThan(1_000);
  });
});

describe('a write', () => {
  const bulk = (...items: object[]) => json(200, { items: items.map((index) => ({ index })) });
  const ok = { status: 201 };
  const full = { status: 429, ...error('es_rejected_execution_exception') };

  it.each([
    ['is refused for lack of room', bulk(...RUNS.map(() => full))],
    ['meets a shard that is gone', bulk(ok, { status: 503, ...error('unavailable_shards_exception') })],
    ['meets an index that is gone', bulk(ok, { status: 404, ...error('index_not_found_exception') })],
    ['meets a read-only index', bulk(ok, { status: 403, ...error('cluster_block_exception') })],
    ['meets a full disk', bulk(ok, { status: 429, ...error('cluster_block_exception') })],
    ['gets no word on a run', bulk(ok, {})],
    ['fails whole', json(500, error('some'))],
  ])('fails when it %s', async (_what, answer) => {
    const index = await openOver(answer);
    await expect(index.write(RUNS, 1)).rejects.toMatchObject({ code: 'TEMPORARILY_UNAVAILABLE' });
  });

  it('rejects what Elasticsearch says it can never take', async () => {
    const index = await openOver(bulk({ status: 400, ...error('document_parsing_exception') }, ok));
    const reason = expect.stringContaining('document_parsing_exception');
    expect(await index.write(RUNS, 1)).toEqual({
      written: 1,
      stale: 0,
      rejected: [{ runId: '0', experimentId: '1', reason }],
    });
  });

  it('rejects a run that is too large by itself, and sends the others in smaller requests', async () => {
    const index = await openOver((request, response, body) => {
      const lines = body.trim().split('\n');
      const isTooLarge = lines.length > 2 || lines[0]?.includes('"_id":"0"');
      (isTooLarge ? json(413, {}) : bulk(ok))(request, response, body);
    });
    const reason = expect.stringContaining('larger than Elasticsearch takes');
    expect(await index.write(RUNS, 1)).toEqual({
      written: 1,
      stale: 0,
      rejected: [{ runId: '0', experimentId: '1', reason }],
    });
  });

  it('sends again what there was no room for, and that alone', async () => {
    const answers = [bulk(ok, full), bulk(full), bulk(ok)];
    const asked: string[][] = [];
    const index = await openOver((request, response, body) => {
      asked.push([...body.matchAll(/"_id":"(\w)"/g)].map(([, id]) => id ?? ''));
      answers.shift()?.(request, response, body);
    });
    expect(await index.write(RUNS, 1)).toEqual({ written: 2, stale: 0, rejected: [] });
    expect(asked).toEqual([['0', '1'], ['1'], ['1']]);
  });

  it('does not hold up what a bad run came with', async () => {
    const mixed = bulk({ status: 400, ...error('document_parsing_exception') }, { status: 409, ...error('version') });
    expect(await (await openOver(mixed)).write(RUNS, 1)).toMatchObject({ written: 0, stale: 1, rejected: [{}] });
  });

  it('counts what the index has in a younger version as done', async () => {
    const index = await openOver(bulk({ status: 409, ...error('version_conflict_engine_exception') }, ok));
    expect(await index.write(RUNS, 1)).toEqual({ written: 1, stale: 1, rejected: [] });
  });
});

describe('the state', () => {
  it('is not refreshed when a shard was not', async () => {
    const index = await openOver(json(200, { _shards: { failed: 1, successful: 1, total: 2 } }));
    await expect(index.refresh()).rejects.toMatchObject({ code: 'TEMPORARILY_UNAVAILABLE' });
  });

  it('is recorded, or the caller knows', async () => {
    const items = [{ index: { status: 503, ...error('unavailable_shards_exception') } }];
    const index = await openOver(json(200, { items }));
    await expect(index.recordCoverage(['1'], 'complete', 1)).rejects.toMatchObject({ code: 'TEMPORARILY_UNAVAILABLE' });
  });

  it('is no epoch when Elasticsearch fails', async () => {
    await expect((await openOver(json(503, error('some')))).epoch()).rejects.toMatchObject({
      code: 'TEMPORARILY_UNAVAILABLE',
    });
  });
});

describe('a connection', () => {
  it('fails plainly where nothing listens', async () => {
    const index = createElasticsearchIndex({ url: 'http://127.0.0.1:1', index: 'runs', timeoutMs: 1_000 });
    closers.push(() => index.close());
    const unavailable = {
      code: 'TEMPORARILY_UNAVAILABLE',
      message: expect.stringMatching(/127\.0\.0\.1:1 cannot be reached/),
    };
    await expect(index.prepare()).rejects.toMatchObject(unavailable);
    await expect(index.ping()).rejects.toMatchObject(unavailable);
  });

  it.each<[string, Partial<ElasticsearchOptions>, string | undefined]>([
    ['nothing', {}, undefined],
    ['a name and password', { username: 'me', password: 'secret-word' }, `Basic ${btoa('me:secret-word')}`],
    ['an API key', { apiKey: 'c2VjcmV0LXdvcmQ=' }, 'ApiKey c2VjcmV0LXdvcmQ='],
  ])('shows %s, and tells no secret in its errors', async (_what, options, header) => {
    let seen: string | undefined;
    const index = await openOver((request, response) => {
      seen = request.headers.authorization;
      json(401, error('security_exception'))(request, response, '');
    }, options);
    const failure = await search(index).catch((thrown: unknown) => thrown);
    expect(seen).toBe(header);
    expect(failure).toMatchObject({
      code: 'TEMPORARILY_UNAVAILABLE',
      message: expect.stringMatching(/401: security_exception/),
    });
    const told = inspect(failure, { depth: null, showHidden: true });
    for (const secret of ['secret-word', 'c2VjcmV0LXdvcmQ=', btoa('me:secret-word')])
      expect(told).not.toContain(secret);
  });
});

describe('the breaker of a connection', () => {
  it.each([
    ['is refused for lack of room', json(429, error('es_rejected_execution_exception')), 'open'],
    ['fails', json(503, error('no_shard_available_action_exception')), 'open'],
    ['is cut off', (_request: IncomingMessage, response: ServerResponse) => response.destroy(), 'open'],
    ['meets a full disk', json(429, error('cluster_block_exception')), 'closed'],
    ['meets a read-only index', json(403, error('cluster_block_exception')), 'closed'],
    ['meets an index that is gone', json(404, error('index_not_found_exception')), 'closed'],
  ] as [string, Answer, string][])('after a request that %s', async (_what, answer, state) => {
    const breaker = new Breaker({ name: 'elasticsearch', probe: async () => {}, firstMs: 60_000, maxMs: 60_000 });
    closers.push(async () => breaker.stop());
    const index = await openOver(answer, { breaker });
    await expect(index.nextVersion()).rejects.toMatchObject({ code: 'TEMPORARILY_UNAVAILABLE' });
    expect(breaker.status.state).toBe(state);
  });

  it('keeps requests back, but not the question whether Elasticsearch is there', async () => {
    const breaker = new Breaker({ name: 'elasticsearch', probe: async () => {}, firstMs: 60_000, maxMs: 60_000 });
    closers.push(async () => breaker.stop());
    let requests = 0;
    const index = await openOver(
      (request, response, body) => {
        requests++;
        json(200, { timed_out: false, _shards: { failed: 0 }, hits })(request, response, body);
      },
      { breaker },
    );
    breaker.trip(new Error('down'));
    await expect(search(index)).rejects.toThrow(Refusal);
    await index.ping();
    expect(requests).toBe(1);
  });
});
