import { once } from 'node:events';
import { type ClientRequest, type IncomingMessage, type RequestOptions, request } from 'node:http';
import { connect } from 'node:net';
import { buffer, text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type OpenGateway, openGateway } from '../fixtures/open-gateway.ts';
import { OwnServer } from '../fixtures/own-server.ts';

const TIMEOUT_MS = 600;

let upstream: OwnServer;
let gateway: OpenGateway;
beforeAll(async () => {
  upstream = await OwnServer.start();
  upstream.answer((_req, res) => void res.writeHead(401).end());
  gateway = await openGateway({
    upstream: { url: upstream.url, timeoutMs: TIMEOUT_MS },
    dialect: 'sqlite',
    log: { level: 'silent' },
  });
});
afterAll(async () => {
  await gateway.close();
  await upstream.stop();
});

function begin(path: string, options: RequestOptions = {}): ClientRequest {
  return request({ host: '127.0.0.1', port: gateway.port, path, agent: false, ...options });
}

async function answerTo(asked: ClientRequest): Promise<IncomingMessage> {
  const [answer] = (await once(asked, 'response')) as [IncomingMessage];
  return answer;
}

async function ask(path: string, options: RequestOptions = {}, body?: string | Buffer) {
  const asked = begin(path, options);
  asked.end(body);
  const answer = await answerTo(asked);
  return { status: answer.statusCode, headers: answer.headers, body: await text(answer) };
}

/** Answers with what was asked. */
function echo(): void {
  upstream.answer(async (req, res) => {
    const { method, url, headers } = req;
    const body = await text(req);
    res.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ method, url, headers, body }));
  });
}

describe('what is passed on', () => {
  it.each([
    ['GET', '/a/b?x=1&y=%20%C3%A9'],
    ['GET', '/a//b/./c/../d'],
    ['GET', '/quotes"\'<>|?filter=`a`'],
    ['DELETE', '/api/2.0/mlflow/registered-models/delete'],
    ['OPTIONS', '/api/2.0/mlflow/runs/search'],
  ])('%s %s arrives letter by letter', async (method, path) => {
    echo();
    expect(JSON.parse((await ask(path, { method })).body)).toMatchObject({ method, url: path });
  });

  it.each(['POST', 'PUT', 'PATCH', 'DELETE'])('the body of a %s arrives, with its length', async (method) => {
    echo();
    const body = '{"name":"é"}';
    const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
    const seen = JSON.parse((await ask('/x', { method, headers }, body)).body);
    expect(seen).toMatchObject({
      method,
      body,
      headers: { 'content-length': '13', 'content-type': 'application/json' },
    });
    expect(seen.headers['transfer-encoding']).toBeUndefined();
  });

  it('a chunked body stays chunked', async () => {
    echo();
    const seen = JSON.parse(
      (await ask('/x', { method: 'PUT', headers: { 'transfer-encoding': 'chunked' } }, 'abc')).body,
    );
    expect(seen).toMatchObject({ body: 'abc', headers: { 'transfer-encoding': 'chunked' } });
    expect(seen.headers['content-length']).toBeUndefined();
  });

  it('a POST without a body stays without one', async () => {
    echo();
    const seen = JSON.parse((await ask('/x', { method: 'POST', headers: { 'content-length': 0 } })).body);
    expect(seen).toMatchObject({ body: '', headers: { 'content-length': '0' } });
  });

  it('the Host is that of the backend, and X-Forwarded-* say who asked for what', async () => {
    echo();
    const { headers } = JSON.parse((await ask('/x', { headers: { host: 'localhost:9' } })).body);
    expect(headers).toMatchObject({
      host: `127.0.0.1:${upstream.port}`,
      'x-forwarded-for': '127.0.0.1',
      'x-forwarded-host': 'localhost:9',
      'x-forwarded-proto': 'http',
    });
  });

  it('what proxies in front said of the caller is kept', async () => {
    echo();
    const forwarded = {
      'x-forwarded-for': '1.2.3.4',
      'x-forwarded-host': 'mlflow.example',
      'x-forwarded-proto': 'https',
    };
    const { headers } = JSON.parse((await ask('/x', { headers: forwarded })).body);
    expect(headers).toMatchObject({ ...forwarded, 'x-forwarded-for': '1.2.3.4, 127.0.0.1' });
  });

  it('headers that concern the connection only stay behind', async () => {
    echo();
    const sent = { connection: 'close, x-mine', 'x-mine': '1', te: 'trailers', upgrade: 'h2c', 'x-other': '2' };
    const { headers } = JSON.parse((await ask('/x', { headers: sent })).body);
    expect(headers).toMatchObject({ 'x-other': '2' });
    expect(Object.keys(headers)).toEqual(expect.not.arrayContaining(['x-mine', 'te', 'upgrade', 'keep-alive']));
  });

  it('a request line of 70,000 letters gets through', async () => {
    upstream.answer((req, res) => void res.end(String(req.url?.length)));
    const path = `/x?filter=${'a'.repeat(15_000)}`;
    expect((await ask(path)).body).toBe(String(path.length));
  });
});

describe('what comes back', () => {
  it('has the status, the headers and the bytes of the backend', async () => {
    const bytes = Buffer.from(Array.from({ length: 256 }, (_, i) => i));
    upstream.answer((_req, res) => {
      res.writeHead(418, { 'x-a': '1', 'set-cookie': ['a=1', 'b=2'], etag: '"x"', 'content-length': 256 }).end(bytes);
    });
    const asked = begin('/x');
    asked.end();
    const answer = await answerTo(asked);
    expect(answer.statusCode).toBe(418);
    expect(answer.headers).toMatchObject({
      'x-a': '1',
      'set-cookie': ['a=1', 'b=2'],
      etag: '"x"',
      'content-length': '256',
    });
    expect(answer.headers['x-powered-by']).toBeUndefined();
    expect(await buffer(answer)).toEqual(bytes);
  });

  it('comes as it is sent: events do not wait for the end', async () => {
    const next = upstream.next('/gateway/mlflow/v1/chat/completions');
    const asked = begin('/gateway/mlflow/v1/chat/completions', { method: 'POST' });
    asked.end();
    const [, res] = await next;
    res.writeHead(200, { 'content-type': 'text/event-stream' });
    res.write('data: 1\n\n');
    const answer = await answerTo(asked);
    expect(String((await once(answer, 'data'))[0])).toBe('data: 1\n\n');
    res.write('data: 2\n\n');
    expect(String((await once(answer, 'data'))[0])).toBe('data: 2\n\n');
    res.end();
  });

  it.each([
    ['to the backend', '/there?x=1', (path: string) => `${upstream.url}${path}`, 'http://localhost:9/there?x=1'],
    ['elsewhere', '/there', () => 'https://elsewhere.example/there', 'https://elsewhere.example/there'],
    ['without a host', '/there', (path: string) => path, '/there'],
  ])('a redirect %s is one that the caller can follow', async (_, path, location, seen) => {
    upstream.answer((_req, res) => void res.writeHead(308, { location: location(path) }).end());
    const { status, headers } = await ask('/x', { headers: { host: 'localhost:9' } });
    expect([status, headers.location]).toEqual([308, seen]);
  });

  it('keeps the connection of a caller who wants it, whatever the backend does with its own', async () => {
    upstream.answer((_req, res) => void res.writeHead(200, { connection: 'close' }).end('x'));
    expect((await ask('/x', { headers: { connection: 'keep-alive' } })).headers.connection).toBe('keep-alive');
    upstream.answer((_req, res) => void res.end('x'));
    expect((await ask('/x', { headers: { connection: 'close' } })).headers.connection).toBe('close');
  });

  it('is cut when the backend breaks off, so that nobody takes it for whole', async () => {
    upstream.answer((_req, res) => {
      res.writeHead(200, { 'content-length': 100 });
      res.write('half', () => res.destroy());
    });
    await expect(ask('/x')).rejects.toThrow('aborted');
  });
});

describe('a backend that does not answer', () => {
  const isUnavailable = {
    error_code: 'TEMPORARILY_UNAVAILABLE',
    sqlstate: 'XXM00',
    error_class: 'CLIENT_INTERNAL_ERROR',
    message: expect.stringContaining('cannot be reached'),
  };

  it('is 503 in the form of MLflow when it is not there', async () => {
    const dead = await OwnServer.start();
    await dead.stop();
    const other = await openGateway({ upstream: { url: dead.url }, dialect: 'sqlite', log: { level: 'silent' } });
    try {
      for (const path of ['/', '/api/2.0/mlflow/runs/search', '/api/2.0/mlflow/runs/create']) {
        const answer = await fetch(other.url + path, { method: 'POST', body: '{}' });
        expect(answer.headers.get('content-type')).toBe('application/json');
        expect([answer.status, await answer.json()]).toEqual([503, isUnavailable]);
      }
      expect((await fetch(`${other.url}/gateway/readyz`)).status).toBe(503);
      expect((await fetch(`${other.url}/gateway/livez`)).status).toBe(200);
    } finally {
      await other.close();
    }
  });

  it('is 503 when it hangs up', async () => {
    upstream.answer((req) => void req.socket.destroy());
    const { status, body } = await ask('/x', { method: 'POST' }, 'abc');
    expect([status, JSON.parse(body)]).toEqual([503, isUnavailable]);
  });

  it.each([
    ['/x', 'GET', undefined],
    ['/x', 'POST', 'abc'],
    ['/api/2.0/mlflow/runs/create', 'POST', '{}'],
    ['/api/2.0/mlflow/runs/search', 'POST', '{}'],
  ])('is 504 when it is silent: %s %s', async (path, method, body) => {
    upstream.answer(() => {});
    const began = performance.now();
    const answer = await ask(path, { method, headers: { 'content-type': 'application/json' } }, body);
    expect([answer.status, JSON.parse(answer.body)]).toEqual([
      504,
      { error_code: 'DEADLINE_EXCEEDED', message: expect.stringContaining('did not answer in time') },
    ]);
    expect(performance.now() - began).toBeGreaterThan(TIMEOUT_MS * 0.9);
  });

  it('may take longer than the limit as long as it says something', async () => {
    upstream.answer(async (_req, res) => {
      for (let i = 0; i < 4; i++) {
        res.write('x');
        await sleep(TIMEOUT_MS / 2);
      }
      res.end();
    });
    expect((await ask('/x')).body).toBe('xxxx');
  });
});

describe('a caller', () => {
  it('who hangs up ends the request to the backend', async () => {
    const next = upstream.next('/x');
    const asked = begin('/x', { method: 'PUT' });
    asked.on('error', () => {});
    asked.write('abc');
    const [req] = await next;
    req.on('error', () => {});
    const closed = new Promise((resolve) => req.on('close', resolve));
    asked.destroy();
    await closed;
    expect(req.complete).toBe(false);
  });

  it('who hangs up during the answer ends it', async () => {
    const next = upstream.next('/x');
    const asked = begin('/x');
    asked.on('error', () => {});
    asked.end();
    const [, res] = await next;
    res.write('abc');
    await answerTo(asked);
    asked.destroy();
    await once(res, 'close');
    expect(res.writableFinished).toBe(false);
  });

  it('who asks first whether to send is told to go on', async () => {
    echo();
    const asked = begin('/x', { method: 'PUT', headers: { expect: '100-continue', 'content-length': 3 } });
    asked.flushHeaders();
    await once(asked, 'continue');
    asked.end('abc');
    expect(JSON.parse(await text(await answerTo(asked)))).toMatchObject({ body: 'abc' });
  });

  it('gets the answer of a backend that did not want to read all of the body', async () => {
    upstream.answer((_req, res) => void res.writeHead(413).end('too large'));
    const asked = begin('/x', { method: 'PUT', headers: { 'content-length': 50_000_000 } });
    asked.on('error', () => {});
    asked.write(Buffer.alloc(1_000_000));
    const answer = await answerTo(asked);
    expect([answer.statusCode, await text(answer)]).toEqual([413, 'too large']);
    asked.destroy();
  });

  it('without a Host header is refused like a strange one, except for health and probes', async () => {
    const statusOf = async (path: string, host: string) => {
      const socket = connect(gateway.port, '127.0.0.1');
      socket.write(`GET ${path} HTTP/1.1\r\n${host}connection: close\r\n\r\n`);
      return (await text(socket)).split('\r\n');
    };
    echo();
    for (const host of ['', 'host: evil.example\r\n']) {
      const lines = await statusOf('/x', host);
      expect(lines[0]).toBe('HTTP/1.1 403 Forbidden');
      expect(lines).toContain('content-type: text/plain');
      expect(lines.at(-1)).toBe('Invalid Host header - possible DNS rebinding attack detected');
      for (const path of ['/health', '/version', '/gateway/livez', '/gateway/metrics'])
        expect((await statusOf(path, host))[0]).toBe('HTTP/1.1 200 OK');
      expect((await statusOf('/gateway/status', host))[0]).toBe('HTTP/1.1 403 Forbidden');
      expect((await statusOf('/health/', host))[0]).toBe('HTTP/1.1 403 Forbidden');
    }
  });
});

describe('connections to the backend', () => {
  it('are used again, and let go before the 5 s after which uvicorn closes them', async () => {
    echo();
    await ask('/x');
    const before = [...upstream.sockets];
    await ask('/x');
    await ask('/x');
    const reused = [...upstream.sockets].filter((socket) => before.includes(socket));
    expect(upstream.sockets.size).toBe(before.length);
    expect(reused.length).toBeGreaterThan(0);
    await sleep(4_500);
    expect(before.filter((socket) => !socket.destroyed)).toEqual([]);
  }, 10_000);

  it('of an upload are not used again', async () => {
    echo();
    const before = upstream.sockets.size;
    await ask('/x', { method: 'PUT', headers: { 'transfer-encoding': 'chunked' } }, 'abc');
    await expect.poll(() => upstream.sockets.size).toBe(before);
  });
});
