import type { IncomingMessage, ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Access, AnonymousAccess } from '../../src/http/anonymous-access.ts';
import { UpstreamClient } from '../../src/upstream/upstream-client.ts';
import { type OpenGateway, openGateway } from '../fixtures/open-gateway.ts';
import { OwnServer } from '../fixtures/own-server.ts';

const RUN = 'a1'.repeat(16);
const READ = `/api/2.0/mlflow/runs/get?run_id=${RUN}`;

let upstream: OwnServer;
let gateway: OpenGateway | undefined;
beforeEach(async () => {
  upstream = await OwnServer.start();
});
afterEach(async () => {
  await gateway?.close();
  gateway = undefined;
  await upstream.stop();
});

async function open(cache: Parameters<typeof openGateway>[0]['cache'] = {}): Promise<OpenGateway> {
  gateway = await openGateway({
    upstream: { url: upstream.url, timeoutMs: 1_000 },
    cache,
    dialect: 'sqlite',
    log: { level: 'silent' },
  });
  return gateway;
}

function sendJson(res: ServerResponse, status: number, body: object): void {
  res.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

async function ask(url: string, init: RequestInit = {}) {
  const answer = await fetch(url, init);
  return {
    status: answer.status,
    cache: answer.headers.get('x-cache'),
    headers: answer.headers,
    body: await answer.text(),
  };
}

/** Answers users by their name, and nobody else. */
function answerUsers(req: IncomingMessage, res: ServerResponse): void {
  const user = req.headers.authorization;
  if (user) sendJson(res, 200, { user });
  else res.writeHead(401, { 'www-authenticate': 'Basic realm="mlflow"' }).end('Who are you?');
}

describe('a backend that asks who is calling', () => {
  it('answers everybody itself, every time', async () => {
    upstream.answer(answerUsers);
    const { url } = await open();
    for (const user of ['a', 'b', 'a']) {
      expect(await ask(url + READ, { headers: { authorization: user } })).toMatchObject({
        status: 200,
        cache: 'BYPASS',
        body: JSON.stringify({ user }),
      });
    }
    const nobody = await ask(url + READ);
    expect(nobody).toMatchObject({ status: 401, cache: 'BYPASS', body: 'Who are you?' });
    expect(nobody.headers.get('www-authenticate')).toBe('Basic realm="mlflow"');
  });

  it('is not trusted to tell everyone the same where it does answer nobody in particular', async () => {
    let asked = 0;
    upstream.answer((req, res) => {
      if (req.url?.endsWith('/experiments/search')) answerUsers(req, res);
      else sendJson(res, 200, { cookie: req.headers.cookie, asked: asked++ });
    });
    const { url } = await open();
    for (const [i, cookie] of ['a', 'b', 'a'].entries()) {
      const answer = await ask(url + READ, { headers: { cookie } });
      expect(answer).toMatchObject({ cache: 'BYPASS', body: JSON.stringify({ cookie, asked: i }) });
    }
  });

  it('is found out when it begins to ask', async () => {
    upstream.answer((_req, res) => sendJson(res, 200, {}));
    const client = new UpstreamClient({ url: upstream.url, timeoutMs: 500, connections: 1 });
    const seen: Access[] = [];
    const access = new AnonymousAccess(client, { periodMs: 20, retryMs: 20, onChange: (now) => seen.push(now) });
    await access.start();
    expect(access.access).toBe('open');
    expect([access.isOpen(0), access.isOpen(60_000)]).toEqual([true, true]);
    upstream.answer(answerUsers);
    await expect.poll(() => access.access).toBe('closed');
    expect([access.isOpen(0), access.isOpen(60_000)]).toEqual([false, false]);
    upstream.answer((req) => void req.socket.destroy());
    await expect.poll(() => access.access).toBe('unreachable');
    // It was open, and has asked for names since.
    expect(access.isOpen(60_000)).toBe(false);
    upstream.answer((_req, res) => sendJson(res, 200, {}));
    await expect.poll(() => access.access).toBe('open');
    let refusals = 0;
    upstream.answer((_req, res) => sendJson(res, 429, { refusals: ++refusals }));
    await expect.poll(() => refusals).toBeGreaterThan(2);
    expect(seen).toEqual(['open', 'closed', 'unreachable', 'open']);
    access.close();
    await client.close();
  });
});

describe('a backend that answers anyone', () => {
  it('is taken to do so for a while after it can no longer be asked, where that is wanted', async () => {
    upstream.answer((_req, res) => sendJson(res, 200, {}));
    const client = new UpstreamClient({ url: upstream.url, timeoutMs: 500, connections: 1 });
    const access = new AnonymousAccess(client, { periodMs: 20, retryMs: 20, onChange: () => {} });
    await access.start();
    upstream.answer((req) => void req.socket.destroy());
    await expect.poll(() => access.access).toBe('unreachable');
    expect([access.isOpen(0), access.isOpen(60_000)]).toEqual([false, true]);
    await expect.poll(() => access.isOpen(100)).toBe(false);
    access.close();
    await client.close();
  });

  it('is asked in the name of those who have one, and nothing of theirs is kept', async () => {
    let asked = 0;
    upstream.answer((req, res) => sendJson(res, 200, { user: req.headers.authorization ?? 'nobody', asked: asked++ }));
    const { url } = await open();
    const named = await ask(url + READ, { headers: { authorization: 'a' } });
    expect(named).toMatchObject({ cache: 'BYPASS', body: expect.stringContaining('"user":"a"') });
    const nobody = await ask(url + READ);
    expect(nobody).toMatchObject({ cache: 'MISS', body: expect.stringContaining('"user":"nobody"') });
    expect(await ask(url + READ)).toMatchObject({ cache: 'HIT', body: nobody.body });
    expect(await ask(url + READ, { headers: { authorization: 'a' } })).toMatchObject({ cache: 'BYPASS' });
  });
});

describe("the gateway's own name", () => {
  it.each([
    [
      { username: 'gateway', passwordEnv: 'P' },
      { upstreamPassword: 'pass:word' },
      `Basic ${btoa('gateway:pass:word')}`,
    ],
    [{ tokenEnv: 'T' }, { upstreamToken: 'secret' }, 'Bearer secret'],
  ])('goes with what it asks itself, and with nothing of a caller: %j', async (names, secrets, own) => {
    const ofCallers: [string | undefined, string | undefined][] = [];
    const ofReads = new Set<string | undefined>();
    upstream.answer((req, res) => {
      const { authorization, 'x-caller': caller } = req.headers;
      if (caller) ofCallers.push([req.url, authorization]);
      else if (req.url === READ) ofReads.add(authorization);
      sendJson(res, 200, {});
    });
    gateway = await openGateway(
      { upstream: { url: upstream.url, ...names }, dialect: 'sqlite', log: { level: 'silent' } },
      undefined,
      secrets,
    );
    const { url } = gateway;
    const headers = { 'x-caller': '1', 'content-type': 'application/json' };
    const post = (path: string, body: string) => ask(url + path, { method: 'POST', headers, body });
    expect(await ask(url + READ, { headers })).toMatchObject({ status: 200, cache: 'MISS' });
    await ask(url + READ, { headers: { ...headers, authorization: 'theirs' } });
    await post('/api/2.0/mlflow/runs/search', '{"experiment_ids":["1"],"filter":"not ours to read"}');
    await post('/api/2.0/mlflow/runs/set-tag', `{"run_id":"${RUN}","key":"k","value":"v"}`);
    await ask(`${url}/static`, { headers });
    expect([...ofReads]).toEqual([own]);
    expect(ofCallers).toEqual([
      [READ, 'theirs'],
      ['/api/2.0/mlflow/runs/search', undefined],
      ['/api/2.0/mlflow/runs/set-tag', undefined],
      ['/static', undefined],
    ]);
  });
});

describe('a backend that is away', () => {
  const isAway = (req: IncomingMessage) => void req.socket.destroy();

  it('is stood in for by what is past its time, where that is wanted, and the answer says so', async () => {
    upstream.answer((_req, res) => sendJson(res, 200, { value: 1 }));
    const { url } = await open({ ttlSeconds: 1, staleIfErrorSeconds: 600 });
    await ask(url + READ);
    upstream.answer(isAway);
    await expect.poll(async () => (await ask(url + READ)).cache, { timeout: 5_000 }).toBe('STALE');
    const { status, headers, body } = await ask(url + READ);
    expect([status, body]).toEqual([200, '{"value":1}']);
    expect(headers.get('warning')).toBe('110 - "Response is Stale"');
    expect(headers.get('x-gateway-source')).toBe('cache');
    expect(Number(headers.get('age'))).toBeGreaterThanOrEqual(1);
    // Of what was never asked for there is nothing to give.
    expect((await ask(`${url}${READ.replaceAll('a1', 'b2')}`)).status).toBe(503);
  });

  it('is missed otherwise', async () => {
    upstream.answer((_req, res) => sendJson(res, 200, { value: 1 }));
    const { url } = await open({ ttlSeconds: 1 });
    await ask(url + READ);
    upstream.answer(isAway);
    await expect.poll(async () => (await ask(url + READ)).status, { timeout: 5_000 }).toBe(503);
  });
});

describe('a write whose answer is lost', () => {
  /** A backend of one value. A write takes effect long after its caller has given up. */
  function openValue(onWrite: (set: () => void, req: IncomingMessage, res: ServerResponse) => void) {
    const state = { value: 0 };
    upstream.answer(async (req, res) => {
      await text(req);
      if (!req.url?.endsWith('/log-metric')) return sendJson(res, 200, { value: state.value });
      return onWrite(() => void state.value++, req, res);
    });
    return state;
  }

  const write = (url: string, init: RequestInit = {}) =>
    ask(`${url}/api/2.0/mlflow/runs/log-metric`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ run_id: RUN, key: 'm', value: 1, timestamp: 1 }),
      ...init,
    });

  const chunked = {
    body: new Blob([JSON.stringify({ run_id: RUN })]).stream(),
    duplex: 'half',
  } as RequestInit;

  it.each<[string, RequestInit]>([
    ['read whole', {}],
    ['streamed', chunked],
  ])('is never hidden by the cache, when it comes true after all: %s', async (_, init) => {
    const underWay: (() => void)[] = [];
    openValue((set) => void underWay.push(set));
    const { url } = await open();
    await ask(url + READ);
    expect((await ask(url + READ)).cache).toBe('HIT');
    expect((await write(url, init)).status).toBe(504);
    expect(await ask(url + READ)).toMatchObject({ cache: 'BYPASS', body: '{"value":0}' });
    for (const set of underWay) set();
    expect(await ask(url + READ)).toMatchObject({ cache: 'BYPASS', body: '{"value":1}' });
  });

  it('is carried out though its caller hangs up, and seen', async () => {
    const arrived = Promise.withResolvers<() => void>();
    openValue((set, _req, res) => {
      arrived.resolve(() => {
        set();
        sendJson(res, 200, {});
      });
    });
    const { url } = await open();
    await ask(url + READ);
    const caller = new AbortController();
    const written = write(url, { signal: caller.signal });
    const carryOut = await arrived.promise;
    caller.abort();
    await expect(written).rejects.toThrow();
    carryOut();
    await expect.poll(async () => (await ask(url + READ)).body).toBe('{"value":1}');
  });

  it('changes nothing when it never reached the backend', async () => {
    openValue((set) => set());
    const { url } = await open();
    await ask(url + READ);
    await upstream.stop();
    expect((await write(url)).status).toBe(503);
    expect((await ask(url + READ)).cache).toBe('HIT');
  });
});
