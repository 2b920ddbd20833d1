import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import type { BreakerStatus } from '../../src/faults/breaker.ts';
import type { FeedStatus } from '../../src/indexing/index-feed.ts';
import { createRun } from '../fixtures/create-run.ts';
import { type OpenGateway, openGateway } from '../fixtures/open-gateway.ts';
import { postJson } from '../fixtures/post-json.ts';
import { UnreliableProxy } from '../fixtures/unreliable-proxy.ts';
import { createExperiments, post } from '../fuzz/load-runs.ts';

const API = '/api/2.0/mlflow';
const OFF = { quickEveryMs: 0, openEveryMs: 0, recentEveryMs: 0, fullEveryMs: 0 };
const mlflow = inject('mlflowUrl');

let proxy: UnreliableProxy;
let gateway: OpenGateway;
let data: string;
let experimentId: string;
let runId: string;

beforeAll(async () => {
  data = await mkdtemp(join(tmpdir(), 'upstream-faults-'));
  proxy = await UnreliableProxy.start(mlflow);
  gateway = await openGateway({
    upstream: { url: proxy.url, timeoutMs: 5_000 },
    data: { dir: data },
    index: { store: 'sqlite' },
    feed: { reconcile: OFF, uncertainWriteMs: 3_000 },
  });
  [experimentId = ''] = await createExperiments(gateway.url, 1, 'upstream-faults');
  runId = await createRun(gateway.url, { experiment_id: experimentId, start_time: 1 });
});

beforeEach(async () => {
  proxy.misbehave();
  await untilIndexed();
});

afterAll(async () => {
  await gateway?.close();
  await proxy?.stop();
  await rm(data, { recursive: true });
});

let searches = 0;
/** A search of its own each time, so that no cache answers; all of them find the same. */
const newSearch = () => ({
  experiment_ids: [experimentId],
  run_view_type: 'ALL',
  filter: `start_time < ${1e12 + ++searches}`,
});
const search = (base: string, body: object = newSearch(), headers = {}) =>
  postJson(`${base}${API}/runs/search`, body, headers);
const sourceOf = (answer: Response) => answer.headers.get('x-gateway-source');
const setTag = (value: string) => postJson(`${gateway.url}${API}/runs/set-tag`, { run_id: runId, key: 't', value });

async function untilIndexed(): Promise<void> {
  await expect.poll(async () => sourceOf(await search(gateway.url)), { timeout: 60_000 }).toBe('index');
}

/** What the index says is what MLflow says. */
async function expectEqual(): Promise<void> {
  await untilIndexed();
  expect(await (await search(gateway.url)).json()).toEqual(await (await search(mlflow)).json());
}

async function status() {
  const answer = await fetch(`${gateway.url}/gateway/status`);
  return (await answer.json()) as { index: FeedStatus; breakers: Record<string, BreakerStatus> };
}

const upstreamState = async () => (await status()).breakers.upstream?.state;

const isFlush = ({ path, body }: { path: string; body: string }) =>
  path.endsWith('runs/search') && body.includes('run_id IN');

describe('a caller gets what the MLflow server answers', () => {
  it.each([
    ['a write', 'runs/set-tag', () => ({ run_id: runId, key: 't', value: 'x' })],
    ['what passes through', 'traces/search', () => ({ experiment_ids: [experimentId] })],
  ])('once, when it is busy: %s', async (_what, path, body) => {
    for (const code of [429, 500, 502, 503]) {
      proxy.misbehave((asked) =>
        asked.path.endsWith(path) ? { status: code, headers: { 'retry-after': '7' } } : undefined,
      );
      const answer = await postJson(`${gateway.url}${API}/${path}`, body());
      expect([answer.status, answer.headers.get('retry-after')]).toEqual([code, '7']);
      expect(await answer.text()).toBe(`{"message": "mishap ${code}"}`);
      expect(proxy.count(path)).toBe(1);
    }
  });

  it('when a search goes to it while it is busy, breaker or not', async () => {
    const busy = { status: 429, headers: { 'retry-after': '1' } };
    proxy.misbehave(({ path }) => (path.endsWith('runs/search') ? busy : undefined));
    await setTag('busy');
    // Has the run read.
    await search(gateway.url);
    expect(await upstreamState()).not.toBe('closed');
    const answer = await search(gateway.url);
    expect([answer.status, answer.headers.get('retry-after')]).toEqual([429, '1']);
    proxy.misbehave();
    expect((await search(gateway.url)).status).toBe(200);
    await expectEqual();
  });

  it('or 504 when it takes too long', async () => {
    proxy.misbehave(({ path }) => (path.endsWith('set-tag') ? { delayMs: 8_000 } : undefined));
    const answer = await setTag('late');
    expect([answer.status, await answer.json()]).toMatchObject([504, { error_code: 'DEADLINE_EXCEEDED' }]);
    expect(proxy.count('set-tag')).toBe(1);
    expect((await status()).index.uncertainWrites).toBe(1);
    expect(sourceOf(await search(gateway.url))).toBe('backend');
    await expectEqual();
    expect(await (await search(gateway.url)).text()).toContain('"late"');
  });
});

describe("the gateway's own readings", () => {
  it.each([
    ['seconds', () => '3'],
    ['a date', () => new Date(Date.now() + 4_000).toUTCString()],
  ])('wait as long as Retry-After says in %s, and then go on', async (_what, retryAfter) => {
    let toldAt = 0;
    proxy.misbehave((asked) => {
      if (!isFlush(asked)) return undefined;
      toldAt ||= performance.now();
      return performance.now() < toldAt + 2_000 ? { status: 429, headers: { 'retry-after': retryAfter() } } : undefined;
    });
    const value = `after ${searches}`;
    expect((await setTag(value)).status).toBe(200);
    await search(gateway.url);
    expect(await upstreamState()).toBe('open');
    const metrics = await (await fetch(`${gateway.url}/gateway/metrics`)).text();
    expect(metrics).toContain('gateway_breaker_state{dependency="upstream"} 2');
    const meanwhile = await search(gateway.url);
    expect([sourceOf(meanwhile), await meanwhile.text()]).toEqual(['backend', expect.stringContaining(value)]);
    await expectEqual();
    const readings = proxy.requests.filter(isFlush);
    expect((readings[1]?.at ?? 0) - toldAt).toBeGreaterThan(2_900);
    expect(await (await search(gateway.url)).text()).toContain(value);
    expect(gateway.log.filter((line) => line.includes('"dependency":"upstream"')).length).toBeGreaterThan(1);
  });

  it.each([500, 503])('are few while it answers %d, and go on by themselves', async (code) => {
    proxy.misbehave(({ path }) => (/(runs|experiments)\/search$/.test(path) ? { status: code } : undefined));
    await setTag(`at ${code}`);
    await new Promise((resolve) => setTimeout(resolve, 5_000));
    const asked = proxy.count('/search');
    expect(asked).toBeGreaterThan(1);
    expect(asked).toBeLessThan(12);
    proxy.misbehave();
    await expectEqual();
  });

  it('are never taken from an answer that was cut', async () => {
    let cuts = 0;
    proxy.misbehave((asked) =>
      isFlush(asked) && cuts++ < 2 ? { cut: cuts % 2 ? 'announced' : 'chunked' } : undefined,
    );
    await setTag('cut');
    await expectEqual();
    expect(cuts).toBeGreaterThan(2);
    expect(await (await search(gateway.url)).text()).toContain('"cut"');
  });
});

/** Cuts the first answer to a path. */
function cutOnce(path: string, cut: 'announced' | 'chunked'): void {
  let done = false;
  proxy.misbehave((asked) => {
    if (done || !asked.path.endsWith(path)) return undefined;
    done = true;
    return { cut };
  });
}

describe.each(['announced', 'chunked'] as const)('an answer that is cut, %s', (cut) => {
  it('reaches the caller as one', async () => {
    cutOnce('runs/search', cut);
    // With a name, so that the answer is streamed.
    const answer = await search(gateway.url, newSearch(), { authorization: 'Basic bWU6bWU=' });
    await expect(answer.text()).rejects.toThrow('terminated');
  });

  it('is never cached', async () => {
    // One that no write was uncertain about.
    const id = await createRun(gateway.url, { experiment_id: experimentId, start_time: 1 });
    cutOnce(`runs/get?run_id=${id}&run_uuid=${id}`, cut);
    const read = () => fetch(`${gateway.url}${API}/runs/get?run_id=${id}`);
    expect((await read()).status).toBe(503);
    const again = await read();
    expect(again.headers.get('x-cache')).toBe('MISS');
    expect(await again.json()).toEqual(await (await fetch(`${mlflow}${API}/runs/get?run_id=${id}`)).json());
  });

  it('to a write makes it uncertain: MLflow answers until its end is known', async () => {
    cutOnce('set-tag', cut);
    const value = `uncertain, ${cut}`;
    expect((await setTag(value)).status).toBe(503);
    expect(proxy.count('set-tag')).toBe(1);
    expect((await status()).index.uncertainWrites).toBe(1);
    const answer = await search(gateway.url);
    expect([sourceOf(answer), await answer.text()]).toEqual(['backend', expect.stringContaining(value)]);
    await expectEqual();
    expect((await status()).index.uncertainWrites).toBe(0);
  });
});

it('a write that is streamed, and whose answer is cut, is uncertain as well', async () => {
  cutOnce('log-batch', 'announced');
  const write = JSON.stringify({ run_id: runId, tags: [{ key: 'long', value: 'streamed' }] });
  const writing = postJson(`${gateway.url}${API}/runs/log-batch`, write + ' '.repeat(34_000_000));
  await expect(writing).rejects.toThrow('fetch failed');
  expect((await status()).index.uncertainWrites).toBe(1);
  await expectEqual();
  expect(await (await search(gateway.url)).text()).toContain('"streamed"');
});

it('sees a write again in MLflow after all of this', async () => {
  await post(gateway.url, 'runs/set-tag', { run_id: runId, key: 'end', value: 'yes' });
  expect(await (await search(gateway.url)).text()).toContain('"end"');
});
