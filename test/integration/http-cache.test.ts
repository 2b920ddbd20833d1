import { request } from 'undici';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { createRun } from '../fixtures/create-run.ts';
import { type OpenGateway, openGateway } from '../fixtures/open-gateway.ts';
import { postJson } from '../fixtures/post-json.ts';

const API = '/api/2.0/mlflow';

let mlflow: string;
let gateway: OpenGateway;
let runId: string;
beforeAll(async () => {
  mlflow = inject('mlflowUrl');
  gateway = await openGateway({ upstream: { url: mlflow }, log: { level: 'warn' }, listen: { compressFromBytes: 1 } });
  runId = await createRun(mlflow, { experiment_id: '0' });
});
afterAll(() => gateway.close());

/** Not by `fetch`, which adds `Cache-Control: no-cache` to conditional requests. */
async function ask(path: string, headers: Record<string, string> = {}) {
  const { statusCode: status, headers: given, body } = await request(gateway.url + API + path, { headers });
  return { status, headers: given, text: await body.text() };
}
const getRun = (headers?: Record<string, string>) => ask(`/runs/get?run_id=${runId}`, headers);
const cacheOf = async (answer: ReturnType<typeof ask>) => (await answer).headers['x-cache'];
const etagOf = async (answer: ReturnType<typeof ask>) => String((await answer).headers.etag);
const write = async (path: string, body: object) => {
  expect((await postJson(`${gateway.url}${API}/${path}`, { run_id: runId, ...body })).status).toBe(200);
};
let marks = 0;
const mark = () => write('runs/set-tag', { key: 'mark', value: `${++marks}` });

describe('a GET of what the caller has already', () => {
  it('is told so, until a write changes it', async () => {
    const first = await getRun();
    const etag = String(first.headers.etag);
    const known = await getRun({ 'if-none-match': etag });
    expect([known.status, known.text, known.headers.etag]).toEqual([304, '', etag]);
    expect(known.headers['content-type']).toBeUndefined();
    expect(known.headers['x-cache']).toBe('HIT');
    for (const header of ['vary', 'cache-control', 'x-content-type-options'])
      expect(known.headers[header]).toBe(first.headers[header]);
    await mark();
    const changed = await getRun({ 'if-none-match': etag });
    expect(changed.status).toBe(200);
    expect(changed.headers.etag).not.toBe(etag);
    expect(changed.text).toContain(`"value": "${marks}"`);
  });

  it.each([
    ['*', 304],
    ['"other", ETAG', 304],
    ['W/ETAG', 304],
    ['"other"', 200],
  ])('names it as %s', async (names, status) => {
    const etag = await etagOf(getRun());
    expect((await getRun({ 'if-none-match': names.replace('ETAG', etag) })).status).toBe(status);
  });

  it('is given it all the same when it asks for no old answer', async () => {
    const etag = await etagOf(getRun());
    const answer = await getRun({ 'if-none-match': etag, 'cache-control': 'no-cache' });
    expect([answer.status, answer.headers['x-cache']]).toEqual([200, 'MISS']);
  });

  it('has another tag in each encoding', async () => {
    const tags = [];
    for (const encoding of ['identity', 'gzip', 'br']) tags.push(await etagOf(getRun({ 'accept-encoding': encoding })));
    expect(new Set(tags).size).toBe(3);
  });

  it('is not asked of searches, which are POSTs (RFC 9110, 13.1.2)', async () => {
    const answer = await postJson(`${gateway.url}${API}/runs/search`, { experiment_ids: ['0'], max_results: 1 });
    expect(answer.headers.get('etag')).toBeNull();
  });
});

describe('Cache-Control of a request', () => {
  it.each([
    ['no-cache', 'MISS'],
    ['max-age=0', 'MISS'],
    ['max-age=3600', 'HIT'],
    ['no-store', 'BYPASS'],
  ])('%s of what is stored: %s', async (demand, cache) => {
    await getRun();
    expect(await cacheOf(getRun())).toBe('HIT');
    const answer = await getRun({ 'cache-control': demand });
    expect([answer.headers['x-cache'], answer.headers.age]).toEqual([cache, cache === 'HIT' ? '0' : undefined]);
  });

  it('no-cache finds what was written past the gateway, and others find it then', async () => {
    const before = (await getRun()).text;
    await postJson(`${mlflow}${API}/runs/set-tag`, { run_id: runId, key: 'past', value: 'the gateway' });
    expect((await getRun()).text).toBe(before);
    expect((await getRun({ 'cache-control': 'no-cache' })).text).toContain('the gateway');
    const after = await getRun();
    expect([after.headers['x-cache'], after.text]).toEqual(['HIT', expect.stringContaining('the gateway')]);
  });
});

describe('the history of a metric', () => {
  const history = (key: string) => `/metrics/get-history?run_id=${runId}&metric_key=${key}&max_results=25000`;
  const sample = (key: string) =>
    `/metrics/get-history-bulk-interval?run_ids=${runId}&metric_key=${key}&max_results=320`;
  const values = async (path: string) => {
    const { metrics = [] } = JSON.parse((await ask(path)).text) as { metrics?: { value: unknown }[] };
    return metrics.map(({ value }) => value);
  };

  it.each<[string, (value: number, step: number) => Promise<void>]>([
    ['log-metric', (value, step) => write('runs/log-metric', { key: 'h', value, step, timestamp: 1 })],
    ['log-batch', (value, step) => write('runs/log-batch', { metrics: [{ key: 'h', value, step, timestamp: 1 }] })],
  ])('has what was written by %s before it was asked for', async (_, log) => {
    for (const path of [history('h'), sample('h')]) {
      const before = await values(path);
      expect(await cacheOf(ask(path))).toBe('HIT');
      await log(0.5, before.length);
      expect(await values(path)).toEqual([...before, 0.5]);
      expect(await cacheOf(ask(path))).toBe('HIT');
    }
  });

  it('is another one for another key, page or sample', async () => {
    await ask(history('h'));
    await ask(sample('h'));
    for (const path of [
      history('h2'),
      `${history('h').replace('25000', '1')}`,
      `${sample('h')}&start_step=0&end_step=1`,
      sample('h').replace('320', '1'),
    ])
      expect(await cacheOf(ask(path))).toBe('MISS');
  });
});
