import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import { createRun } from '../fixtures/create-run.ts';
import { type OpenGateway, openGateway } from '../fixtures/open-gateway.ts';
import { OwnServer } from '../fixtures/own-server.ts';
import { exchangeRaw, openDeafSocket } from '../fixtures/raw-exchange.ts';
import { spellingsOf } from '../fixtures/spellings.ts';
import { createExperiments } from '../fuzz/load-runs.ts';

const HOST = 'Host: localhost\r\n';
const JSON_TYPE = 'Content-Type: application/json\r\n';

/** A request with a body of an announced length. */
const withBody = (method: string, path: string, body: string, headers = '') =>
  `${method} ${path} HTTP/1.1\r\n${HOST}${JSON_TYPE}Content-Length: ${Buffer.byteLength(body)}\r\n${headers}\r\n${body}`;
const chunked = (headers: string, body: string) =>
  `POST /x HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n${headers}\r\n${body}`;
const get = (path: string, headers = '') => `GET ${path} HTTP/1.1\r\n${HOST}${headers}\r\n`;

const isError = (code = 'BAD_REQUEST') => ({ error_code: code, message: expect.any(String) });

describe('a path in any spelling', () => {
  const mlflow = inject('mlflowUrl');
  let gateway: OpenGateway;
  let runId: string;
  beforeAll(async () => {
    const [experimentId = ''] = await createExperiments(mlflow, 1, 'spelled');
    runId = await createRun(mlflow, { experiment_id: experimentId });
    gateway = await openGateway({ upstream: { url: mlflow }, dialect: 'sqlite', log: { level: 'silent' } });
  });
  afterAll(() => gateway.close());

  const runAt = async (base: string) => {
    const answer = await fetch(`${base}/api/2.0/mlflow/runs/get?run_id=${runId}`);
    return { cache: answer.headers.get('x-cache'), body: await answer.json() };
  };

  it('of a write that MLflow carries out is never hidden by the cache, and gets the status that MLflow gives', async () => {
    const port = Number(new URL(mlflow).port);
    let carriedOut = 0;
    for (const spelling of spellingsOf('/api/2.0/mlflow/runs/set-tag')) {
      await runAt(gateway.url);
      expect((await runAt(gateway.url)).cache).toBe('HIT');
      const write = (value: string) =>
        withBody('POST', spelling, JSON.stringify({ run_id: runId, key: 'spelling', value }), 'Connection: close\r\n');
      const [through] = (await exchangeRaw(gateway.port, write(`${spelling} through`))).answers;
      const { body } = await runAt(mlflow);
      expect([spelling, (await runAt(gateway.url)).body]).toEqual([spelling, body]);
      const [direct] = (await exchangeRaw(port, write(spelling))).answers;
      expect([spelling, through?.status]).toEqual([spelling, direct?.status]);
      if (through?.status === 200) carriedOut++;
      // Now it was written past the gateway.
      await exchangeRaw(gateway.port, write('again').replace(spelling, '/api/2.0/mlflow/runs/set-tag'));
    }
    expect(carriedOut).toBeGreaterThan(40);
  });
});

let upstream: OwnServer;
let gateway: OpenGateway | undefined;
/** What arrived at the backend, but for the gateway's own question. */
const arrived: { method?: string | undefined; url?: string | undefined; headers: object; body: string }[] = [];
beforeEach(async () => {
  upstream = await OwnServer.start();
  arrived.length = 0;
  upstream.answer(async (req, res) => {
    const { method, url, headers } = req;
    if (url?.endsWith('/experiments/search')) return void res.writeHead(401).end();
    arrived.push({ method, url, headers, body: await text(req).catch(() => 'broken off') });
    res.writeHead(200, { 'content-type': 'application/json' }).end('{}');
  });
});
afterEach(async () => {
  await gateway?.close();
  gateway = undefined;
  await upstream.stop();
});

async function open(listen: Parameters<typeof openGateway>[0]['listen'] = {}, path = ''): Promise<OpenGateway> {
  gateway = await openGateway({
    listen,
    upstream: { url: upstream.url + path, timeoutMs: 3_000 },
    dialect: 'sqlite',
    log: { level: 'silent' },
  });
  return gateway;
}

describe('a request that servers read in more than one way', () => {
  it.each<[string, string]>([
    ['length and chunks', withBody('POST', '/x', '0\r\n\r\n', 'Transfer-Encoding: chunked\r\n')],
    ['two lengths', withBody('POST', '/x', '{}', 'Content-Length: 3\r\n')],
    ['the same length twice', withBody('POST', '/x', '{}', 'Content-Length: 2\r\n')],
    ['a length with a sign', `POST /x HTTP/1.1\r\n${HOST}Content-Length: +2\r\n\r\n{}`],
    ['a length with a comma', `POST /x HTTP/1.1\r\n${HOST}Content-Length: 2, 2\r\n\r\n{}`],
    ['chunks that are not last', `POST /x HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n`],
    ['an unknown encoding', `POST /x HTTP/1.1\r\n${HOST}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n`],
    ['a blank before a colon', `POST /x HTTP/1.1\r\n${HOST}Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n`],
    ['chunks named twice', chunked('Transfer-Encoding: chunked\r\n', '0\r\n\r\n')],
    ['a folded header', get('/x', 'X-A: a\r\n b\r\n')],
    ['a line that ends without CR', get('/x', 'X-A: a\nX-B: b\r\n')],
    ['a CR within a line', get('/x', 'X-A: a\rX-B: b\r\n')],
    ['a NUL in a header', get('/x', 'X-A: a\0b\r\n')],
    ['two hosts', get('/x', 'Host: evil\r\n')],
    ['a chunk size that is none', chunked('', '0x2\r\n{}\r\n0\r\n\r\n')],
    ['a chunk longer than it says', chunked('', '2\r\n{}{}\r\n0\r\n\r\n')],
    ['a chunk extension with a line end', chunked('', '2;a\nb\r\n{}\r\n0\r\n\r\n')],
    ['a trailer that is a length', chunked('', '0\r\nContent-Length: 5\r\n\r\n')],
    ['a method in lower case', 'post /x HTTP/1.1\r\nHost: localhost\r\n\r\n'],
    ['another protocol', '\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03aaaaaaaaaaaaaaaaaaaaaa'],
    ['an unknown version', 'GET /x HTTP/1.2\r\nHost: localhost\r\n\r\n'],
    ['a blank in the path', 'GET /x y HTTP/1.1\r\nHost: localhost\r\n\r\n'],
  ])('is refused in the form of MLflow: %s', async (_, bytes) => {
    const { port } = await open();
    const { answers, closed } = await exchangeRaw(port, bytes);
    expect([answers.length, answers[0]?.status, closed]).toEqual([1, 400, true]);
    expect(answers[0]?.headers['content-type']).toBe('application/json');
    expect(JSON.parse(answers[0]?.body ?? '')).toMatchObject(isError());
    expect(arrived.filter(({ body }) => body !== 'broken off')).toEqual([]);
  });

  it.each([
    'GET http://localhost/x HTTP/1.1',
    'POST http://localhost/api/2.0/mlflow/runs/set-tag HTTP/1.1',
    'OPTIONS * HTTP/1.1',
    'CONNECT localhost:80 HTTP/1.1',
  ])('goes nowhere without a path: %s', async (line) => {
    const { port } = await open();
    const { answers, closed } = await exchangeRaw(port, `${line}\r\n${HOST}\r\n`);
    expect([answers.map(({ status }) => status), closed]).toEqual([[404], true]);
    expect(JSON.parse(answers[0]?.body ?? '')).toMatchObject(isError('ENDPOINT_NOT_FOUND'));
    expect(arrived).toEqual([]);
  });

  it.each(['/\\', '//[', '///%00/x', '//a:99999999/'])('is 404 with a path that no URL has: %s', async (path) => {
    const { port } = await open();
    for (const request of [get(path), withBody('POST', path, '{}')]) {
      const { answers } = await exchangeRaw(port, request, { quietMs: 50, timeoutMs: 3_000 });
      expect(answers.map(({ status }) => status)).toEqual([404]);
      expect(JSON.parse(answers[0]?.body ?? '')).toMatchObject(isError('ENDPOINT_NOT_FOUND'));
    }
  });

  it.each<[string, string]>([
    ['headers too large', get('/x', `X-A: ${'a'.repeat(300_000)}\r\n`)],
    ['a path too long', get(`/${'a'.repeat(300_000)}`)],
    ['too many headers', get('/x', 'X-A: a\r\n'.repeat(2_500))],
  ])('is 431 in the form of MLflow: %s', async (_, bytes) => {
    const { port } = await open();
    const { answers } = await exchangeRaw(port, bytes);
    expect(answers.map(({ status }) => status)).toEqual([431]);
    expect(JSON.parse(answers[0]?.body ?? '')).toMatchObject(isError());
    expect(arrived).toEqual([]);
  });

  it('after one that is plain does not cost that one its answer', async () => {
    const { port } = await open();
    upstream.answer(async (_req, res) => {
      await sleep(100);
      res.end('{"first":1}');
    });
    const { answers, closed } = await exchangeRaw(port, `${get('/x')}garbage\r\n\r\n`);
    expect([answers.map(({ status }) => status), closed]).toEqual([[200, 400], true]);
    expect(answers[0]?.body).toBe('{"first":1}');
  });

  it.each([
    ['DELETE', 'Transfer-Encoding: chunked\r\n', '2\r\n{}\r\n0\r\n\r\n'],
    ['OPTIONS', 'Transfer-Encoding: chunked\r\n', '2\r\n{}\r\n0\r\n\r\n'],
    ['GET', 'Content-Length: 2\r\n', '{}'],
    ['POST', 'Connection: content-length, transfer-encoding\r\nContent-Length: 2\r\n', '{}'],
    ['POST', 'Expect: the-unexpected\r\nContent-Length: 2\r\n', '{}'],
  ])('arrives as one request with its whole body: %s with %j', async (method, headers, body) => {
    const { port } = await open();
    const { answers } = await exchangeRaw(port, `${method} /x HTTP/1.1\r\n${HOST}${headers}\r\n${body}${get('/y')}`);
    expect(answers.map(({ status }) => status)).toEqual([200, 200]);
    expect(arrived.map(({ method: seen, url, body: read }) => [seen, url, read]).sort()).toEqual(
      [
        [method, '/x', '{}'],
        ['GET', '/y', ''],
      ].sort(),
    );
  });

  it('to change the protocol is answered as if it did not ask, and is the last on its connection', async () => {
    const { port } = await open();
    const { answers, closed } = await exchangeRaw(
      port,
      withBody('POST', '/x', '{}', 'Connection: Upgrade\r\nUpgrade: h2c\r\n') + get('/y'),
    );
    expect([answers.map(({ status }) => status), closed]).toEqual([[200], true]);
    expect(arrived.map(({ url, body }) => [url, body])).toEqual([['/x', '{}']]);
  });

  it('does not leave the path that the URL of the backend has', async () => {
    const { port } = await open({}, '/mlflow');
    for (const path of [
      '/../x',
      '/a/../../x',
      '/%2e%2e/x',
      '/..%2fx',
      '/%252e%252e/x',
      '/..\\x',
      '/%5c..%5cx',
      '//../x',
      '/.%00./x',
    ]) {
      const { answers } = await exchangeRaw(port, get(path));
      expect([path, answers[0]?.status]).toEqual([path, 400]);
      expect(JSON.parse(answers[0]?.body ?? '')).toMatchObject({
        error_code: 'INVALID_PARAMETER_VALUE',
        message: 'Invalid path',
      });
    }
    expect(arrived).toEqual([]);
    for (const path of ['/a/../x', '/', '/?a=b']) await exchangeRaw(port, get(path), { quietMs: 50 });
    expect(arrived.map(({ url }) => url)).toEqual(['/mlflow/a/../x', '/mlflow/', '/mlflow/?a=b']);
  });
});

describe('what a caller says of itself', () => {
  const CLAIMS =
    'X-Forwarded-For: 6.6.6.6, 1.2.3.4\r\nX-Forwarded-Host: evil\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Prefix: /p\r\n' +
    'X-Real-IP: 6.6.6.6\r\nForwarded: for=6.6.6.6\r\n';
  const seenWith = async (listen: Parameters<typeof open>[0], headers: string) => {
    const { port } = await open(listen);
    await exchangeRaw(port, get('/x', headers));
    return arrived[0]?.headers as Record<string, string>;
  };

  it('is dropped unless it comes from a trusted proxy', async () => {
    const seen = await seenWith({ trustedProxies: ['10.0.0.0/8'] }, CLAIMS);
    expect(seen).toMatchObject({
      'x-forwarded-for': '127.0.0.1',
      'x-forwarded-host': 'localhost',
      'x-forwarded-proto': 'http',
    });
    for (const name of ['x-forwarded-prefix', 'x-real-ip', 'forwarded']) expect(seen[name]).toBeUndefined();
  });

  it('is kept from one, as far as trusted proxies vouch for it', async () => {
    const seen = await seenWith({}, CLAIMS);
    expect(seen).toMatchObject({
      'x-forwarded-for': '1.2.3.4, 127.0.0.1',
      'x-forwarded-host': 'evil',
      'x-forwarded-proto': 'https',
      forwarded: 'for=6.6.6.6',
    });
  });

  it('does not come in with an underscore, which WSGI takes for a hyphen', async () => {
    const seen = await seenWith(
      {},
      'X_Forwarded_For: 6.6.6.6\r\nX_MLFLOW_WORKSPACE: a\r\nSCRIPT_NAME: /a\r\nMy_Header: 1\r\n',
    );
    expect(Object.keys(seen).filter((name) => name.includes('_'))).toEqual(['my_header']);
  });

  it('cannot be taken from the request by naming it a matter of the connection', async () => {
    const seen = await seenWith(
      {},
      'Connection: x-mlflow-workspace, authorization, content-type, x-mine\r\nX-MLFLOW-WORKSPACE: a\r\nAuthorization: b\r\nX-Mine: c\r\n',
    );
    expect(seen).toMatchObject({ 'x-mlflow-workspace': 'a', authorization: 'b' });
    expect(seen['x-mine']).toBeUndefined();
  });
});

describe('a caller who takes its time', () => {
  const IDLE_MS = 400;
  const statusesOf = async (port: number, bytes: string) =>
    (await exchangeRaw(port, bytes)).answers.map(({ status }) => status);

  it('over the headers gets 408', async () => {
    const { port } = await open({ headersTimeoutMs: IDLE_MS });
    expect(await statusesOf(port, 'GET /x HTTP/1.1\r\nHost: loc')).toEqual([408]);
    expect(await statusesOf(port, '')).toEqual([408]);
  });

  it.each(['runs/search', 'runs/set-tag', 'registered-models/create'])('over a body gets 408: %s', async (name) => {
    const { port } = await open({ idleTimeoutMs: IDLE_MS });
    const bytes = withBody('POST', `/api/2.0/mlflow/${name}`, '{"a": 1}').slice(0, -3);
    const { answers, closed } = await exchangeRaw(port, bytes);
    expect([answers.map(({ status }) => status), closed]).toEqual([[408], true]);
    expect(JSON.parse(answers[0]?.body ?? '')).toMatchObject(isError());
    expect(arrived.filter(({ body }) => body !== 'broken off')).toEqual([]);
  });

  it('may take longer as long as something comes', async () => {
    const { port } = await open({ idleTimeoutMs: IDLE_MS });
    const socket = await openDeafSocket(port, withBody('PUT', '/x', 'aaaa').slice(0, -4));
    for (let i = 0; i < 4; i++) {
      await sleep(IDLE_MS / 2);
      socket.write('a');
    }
    await expect.poll(() => arrived.map(({ body }) => body)).toEqual(['aaaa']);
    socket.destroy();
  });

  it('does not wait in vain for a backend that takes longer than callers may', async () => {
    const { port } = await open({ idleTimeoutMs: IDLE_MS });
    upstream.answer(async (_req, res) => {
      await sleep(3 * IDLE_MS);
      res.end('late');
    });
    expect((await exchangeRaw(port, get('/x'), { quietMs: 50 })).answers[0]?.body).toBe('late');
  });

  it('is cut off when it takes nothing of a long answer, and so is the backend', async () => {
    const { port } = await open({ idleTimeoutMs: IDLE_MS });
    const ended = Promise.withResolvers<boolean>();
    upstream.answer((_req, res) => {
      res.on('close', () => ended.resolve(res.writableFinished));
      const block = Buffer.alloc(1_000_000);
      const write = () => {
        while (res.write(block));
        res.once('drain', write);
      };
      write();
    });
    const socket = await openDeafSocket(port, get('/x'));
    expect(await ended.promise).toBe(false);
    socket.destroy();
  });

  it('or there are too many: the last ones are closed at once', async () => {
    const { port } = await open({ maxConnections: 3 });
    const sockets = await Promise.all([1, 2, 3, 4, 5].map(() => openDeafSocket(port, '')));
    for (const socket of sockets) socket.resume();
    await expect.poll(() => sockets.filter(({ destroyed }) => destroyed).length).toBe(2);
    for (const socket of sockets) socket.destroy();
    await expect.poll(() => statusesOf(port, get('/x'))).toEqual([200]);
  });

  it('sends no more than 100 requests before it reads an answer', async () => {
    const { port } = await open();
    const { answers, closed } = await exchangeRaw(port, get('/x').repeat(150));
    expect([answers.filter(({ status }) => status === 200).length, answers.at(-1)?.status, closed]).toEqual([
      100,
      429,
      true,
    ]);
  });
});

describe('bodies beyond the memory for them', () => {
  it('are streamed, and a write among them is one still', async () => {
    const { port } = await open({ bodyMemoryBytes: 10 });
    const body = JSON.stringify({ run_id: 'a'.repeat(32), key: 'k', value: 'v' });
    for (const name of ['runs/search', 'runs/set-tag'])
      await exchangeRaw(port, withBody('POST', `/api/2.0/mlflow/${name}`, body));
    expect(arrived.map((request) => request.body)).toEqual([body, body]);
  });
});
