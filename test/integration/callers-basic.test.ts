import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from 'vitest';
import { type GuardedServer, guardServer } from '../fixtures/guarded-server.ts';
import { type OpenGateway, openGateway } from '../fixtures/open-gateway.ts';
import { postJson } from '../fixtures/post-json.ts';
import { basic, fileOf, userLine } from '../fixtures/users-file.ts';

type Settings = Parameters<typeof openGateway>[0];

const PASSWORD = 'correct horse: battery';
const OWN_PASSWORD = 'own-secret';
const OWN = basic('gateway', OWN_PASSWORD).authorization;
const SEARCH = '/api/2.0/mlflow/runs/search';
const EXPERIMENT = '/api/2.0/mlflow/experiments/get?experiment_id=0';
const STATUS = '/gateway/status';

let mlflow: GuardedServer;
let users: string;
let groups: string;
let gateway: OpenGateway;
beforeAll(async () => {
  mlflow = await guardServer(inject('mlflowUrl'), OWN);
  users = await fileOf(await userLine('ada', PASSWORD), await userLine('bob', 'b0b'), await userLine('eve', 'e4e'));
  groups = await fileOf('writers: ada', 'readers: bob');
});
afterEach(async () => {
  const shown = await Promise.all([
    get('/gateway/metrics').then((answer) => answer.text()),
    get(STATUS, basic('ada', PASSWORD)).then((answer) => answer.text()),
  ]);
  expect([...gateway.log, ...shown].join('\n')).not.toMatch(secrets());
  await gateway.close();
  mlflow.seen.length = 0;
});
afterAll(() => mlflow.stop());

/** As they are, and as the headers have them. */
function secrets(): RegExp {
  const plain = [PASSWORD, OWN_PASSWORD, 'b0b', 'wrong horse'];
  const encoded = [OWN, basic('ada', PASSWORD).authorization, basic('bob', 'b0b').authorization].map((header) =>
    header.slice('Basic '.length),
  );
  return new RegExp([...plain, ...encoded].map((secret) => secret.replaceAll('+', '\\+')).join('|'));
}

async function open(settings: Omit<Settings, 'auth'> & { auth?: object } = {}): Promise<OpenGateway> {
  const { auth, ...others } = settings;
  gateway = await openGateway(
    {
      upstream: { url: mlflow.url, username: 'gateway', passwordEnv: 'P' },
      dialect: 'sqlite',
      log: { level: 'trace' },
      auth: { mode: 'basic', usersFile: users, groupsFile: groups, ...auth },
      ...others,
    },
    undefined,
    { upstreamPassword: OWN_PASSWORD },
  );
  return gateway;
}

const get = (path: string, headers: Record<string, string> = {}) =>
  fetch(gateway.url + path, { headers, redirect: 'manual' });
const post = (path: string, body: unknown, headers: Record<string, string> = {}) =>
  postJson(gateway.url + path, body, headers);

describe('callers by user name and password', () => {
  it('are asked for them, in the form of MLflow, before a byte of the body is read', async () => {
    await open();
    for (const answer of [await get('/'), await get(EXPERIMENT), await post(SEARCH, {}), await get(STATUS)]) {
      expect(answer.status).toBe(401);
      expect(answer.headers.get('www-authenticate')).toBe('Basic realm="mlflow"');
      expect(answer.headers.get('cache-control')).toBe('no-store');
      expect(await answer.json()).toEqual({
        error_code: 'UNAUTHENTICATED',
        message: expect.stringContaining('MLFLOW_TRACKING_USERNAME'),
      });
    }
    const socket = connect(gateway.port, '127.0.0.1');
    const head = `POST ${SEARCH} HTTP/1.1\r\nhost: localhost\r\ncontent-length: 1000000\r\nconnection: close\r\n\r\n`;
    socket.write(head);
    const [answer] = await once(socket, 'data');
    expect(String(answer)).toMatch(/^HTTP\/1.1 401/);
    socket.destroy();
    expect(mlflow.seen.filter(({ path }) => path === SEARCH)).toEqual([]);
  });

  it('are let in, and MLflow sees the gateway alone', async () => {
    await open();
    const ada = { ...basic('ada', PASSWORD), cookie: 'session=of-ada' };
    const name = `callers-${process.pid}-${Date.now()}`;
    const created = await post('/api/2.0/mlflow/experiments/create', { name }, ada);
    expect(created.status).toBe(200);
    const search = { experiment_ids: ['0'], max_results: 1 };
    const answers = [
      await get('/', ada),
      await get(EXPERIMENT, ada),
      await post(SEARCH, search, ada),
      await post(SEARCH, { ...search, filter: 'what is this' }, ada),
      await post('/graphql', { query: '{ __typename }' }, ada),
      await get('/ajax-api/2.0/mlflow/artifacts/list?run_id=x', ada),
    ];
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 400, 200, 404]);
    // The guard hands a cookie to who has the gateway's name.
    expect([created, ...answers].flatMap(({ headers }) => headers.getSetCookie())).toEqual([]);
    const asCallers = mlflow.seen.filter(({ path }) => path !== '/health');
    expect(new Set(asCallers.map(({ authorization }) => authorization))).toEqual(new Set([OWN]));
    expect(new Set(asCallers.map(({ cookie }) => cookie))).toEqual(new Set([undefined]));
  });

  it('share what is kept, and caches on the way may not', async () => {
    await open();
    const ada = await get(EXPERIMENT, basic('ada', PASSWORD));
    expect([ada.headers.get('x-cache'), ada.headers.get('cache-control')]).toEqual(['MISS', 'private, no-cache']);
    const bob = await get(EXPERIMENT, basic('bob', 'b0b'));
    expect([bob.headers.get('x-cache'), bob.headers.get('cache-control')]).toEqual(['HIT', 'private, no-cache']);
    // Without this, fetch asks for an answer that was kept nowhere.
    const conditional = { 'if-none-match': String(bob.headers.get('etag')), 'cache-control': 'max-age=60' };
    const known = await get(EXPERIMENT, { ...basic('bob', 'b0b'), ...conditional });
    expect([known.status, known.headers.get('cache-control')]).toEqual([304, 'private, no-cache']);
    expect((await get(EXPERIMENT)).status).toBe(401);
  });

  it.each([
    ['a wrong password', basic('ada', 'wrong horse').authorization],
    ['a prefix of the password', basic('ada', PASSWORD.slice(0, -1)).authorization],
    ['no password', basic('ada', '').authorization],
    ['an unknown user', basic('zoe', PASSWORD).authorization],
    ['no user', basic('', PASSWORD).authorization],
    ['the name of a property', basic('constructor', PASSWORD).authorization],
    ['a token', 'Bearer abc'],
    ['no colon', `Basic ${btoa('ada')}`],
    ['something else', 'Digest username="ada"'],
    ['nothing', ''],
  ])('are refused with %s', async (_, authorization) => {
    await open();
    const answer = await get(EXPERIMENT, { authorization });
    expect([answer.status, answer.headers.get('www-authenticate')]).toEqual([401, 'Basic realm="mlflow"']);
    expect(await answer.json()).toMatchObject({ error_code: 'UNAUTHENTICATED' });
  });

  it('are known by the file as it is now', async () => {
    const file = await fileOf(await userLine('ada', 'one'));
    await open({ auth: { usersFile: file, groupsFile: undefined } });
    const statusOf = async (user: string, password: string) => (await get(EXPERIMENT, basic(user, password))).status;
    expect(await statusOf('ada', 'one')).toBe(200);
    await writeFile(file, [await userLine('ada', 'two'), 'a line that is none', await userLine('new', 'n')].join('\n'));
    await expect.poll(() => statusOf('new', 'n'), { timeout: 10_000, interval: 200 }).toBe(200);
    expect([await statusOf('ada', 'one'), await statusOf('ada', 'two')]).toEqual([401, 200]);
    expect(gateway.log.join('\n')).toContain('line 2 is not user:hash');
  });

  it('cannot be told from users that do not exist by the time it takes', async () => {
    const file = await fileOf(await userLine('ada', 'one', 9), await userLine('bob', 'two', 5));
    const attempts = { perAddress: 1_000, perUser: 1_000, perUserAndAddress: 1_000 };
    await open({ auth: { usersFile: file, groupsFile: undefined, attempts } });
    const timeOf = async (user: string) => {
      const times: number[] = [];
      for (let i = 0; i < 15; i++) {
        const began = performance.now();
        await get(EXPERIMENT, basic(user, `wrong ${i}`));
        times.push(performance.now() - began);
      }
      return times.sort((a, b) => a - b)[7] ?? 0;
    };
    const [known, unknown] = [await timeOf('ada'), await timeOf('zoe')];
    expect(unknown / known).toBeGreaterThan(0.5);
    expect(unknown / known).toBeLessThan(2);
  });
});

describe('paths that need no caller', () => {
  it.each(['/health', '/version', '/gateway/livez', '/gateway/readyz', '/gateway/metrics'])('%s', async (path) => {
    await open();
    const answer = await get(path, basic('ada', 'not judged'));
    expect(answer.status).toBe(200);
    const head = await fetch(gateway.url + path, { method: 'HEAD' });
    expect(head.status).toBe(200);
    if (path === '/health') expect((await postJson(gateway.url + path, {})).status).toBe(401);
  });

  it('are also what a browser asks before a request from another origin', async () => {
    await open();
    const headers = { origin: 'http://localhost:3000', 'access-control-request-method': 'POST' };
    const preflight = await fetch(gateway.url + SEARCH, { method: 'OPTIONS', headers });
    expect([preflight.status, preflight.headers.get('access-control-allow-origin')]).toEqual([200, headers.origin]);
    expect((await fetch(gateway.url + SEARCH, { method: 'OPTIONS' })).status).toBe(401);
  });

  it('are not those that only look like them', async () => {
    await open();
    for (const path of ['/health/', '/health/../api/2.0/mlflow/x', '//health', '/%68ealth', '/version;x']) {
      const socket = connect(gateway.port, '127.0.0.1');
      socket.end(`GET ${path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n`);
      expect(await text(socket), path).toMatch(/^HTTP\/1.1 401/);
    }
  });

  it('do not include a change of protocol', async () => {
    await open();
    const socket = connect(gateway.port, '127.0.0.1');
    const upgrade =
      'connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-key: x\r\nsec-websocket-version: 13\r\n';
    socket.write(`GET /ws HTTP/1.1\r\nhost: localhost\r\n${upgrade}\r\n`);
    const [answer] = await once(socket, 'data');
    expect(String(answer)).toMatch(/^HTTP\/1.1 401/);
    socket.destroy();
  });

  it('come after the check of the host', async () => {
    await open({ listen: { allowedHosts: ['mlflow.example'] } });
    const answer = await get(EXPERIMENT, basic('ada', PASSWORD));
    expect([answer.status, await answer.text()]).toEqual([403, expect.stringContaining('Invalid Host header')]);
  });
});

describe('rules of access', () => {
  const access = { read: ['group:readers', 'group:writers'], write: ['group:writers'] };
  const CREATE = '/api/2.0/mlflow/experiments/create';
  const newName = () => ({ name: `rules-${process.pid}-${performance.now()}` });

  it('tell reading from writing', async () => {
    await open({ access });
    const bob = basic('bob', 'b0b');
    expect((await get(EXPERIMENT, bob)).status).toBe(200);
    expect((await post(SEARCH, { experiment_ids: ['0'] }, bob)).status).toBe(200);
    const refused = await post(CREATE, newName(), bob);
    expect([refused.status, refused.headers.get('www-authenticate')]).toEqual([403, null]);
    expect(await refused.json()).toMatchObject({
      error_code: 'PERMISSION_DENIED',
      message: 'bob may not write here. That takes user:bob, or one of their groups, in access.write of the gateway.',
    });
    expect((await post(CREATE, newName(), basic('ada', PASSWORD))).status).toBe(200);
    const eve = await get(EXPERIMENT, basic('eve', 'e4e'));
    expect(eve.status).toBe(403);
    expect(await eve.json()).toMatchObject({ message: expect.stringContaining('user:eve in access.read') });
    expect((await get(STATUS, basic('eve', 'e4e'))).status).toBe(403);
    expect((await get(STATUS, bob)).status).toBe(200);
  });

  it('may let anyone read, except what others searched for', async () => {
    await open({ access: { read: ['anyone'], write: ['user:ada'] } });
    expect((await get(EXPERIMENT)).status).toBe(200);
    expect((await get(EXPERIMENT, basic('ada', 'wrong horse'))).status).toBe(401);
    expect((await post(CREATE, newName())).status).toBe(401);
    expect((await post(CREATE, newName(), basic('bob', 'b0b'))).status).toBe(403);
    expect((await get(STATUS)).status).toBe(401);
    expect((await get(STATUS, basic('bob', 'b0b'))).status).toBe(200);
  });

  it("never let callers manage MLflow's users under the gateway's name", async () => {
    await open();
    const ada = { ...basic('ada', PASSWORD), 'content-type': 'application/json' };
    for (const path of ['/api/2.0/mlflow/users/update-password', '/ajax-api/2.0/mlflow/%75sers/update-password']) {
      const answer = await fetch(gateway.url + path, { method: 'PATCH', headers: ada, body: '{}' });
      expect([answer.status, await answer.json()]).toEqual([
        403,
        expect.objectContaining({ message: expect.stringContaining('Users and permissions of the MLflow server') }),
      ]);
    }
    expect((await get('/signup', ada)).status).toBe(403);
    expect(mlflow.seen.filter(({ path }) => /sers|signup/.test(path))).toEqual([]);
  });
});

describe('failed attempts', () => {
  it('are heard no more after a while, of that user from there, and nobody else suffers', async () => {
    await open({ auth: { attempts: { windowSeconds: 3, perUserAndAddress: 3 } } });
    const wrong = () => get(EXPERIMENT, basic('ada', 'wrong horse'));
    for (let i = 0; i < 3; i++) expect((await wrong()).status).toBe(401);
    const limited = await wrong();
    expect(limited.status).toBe(429);
    const waitSeconds = Number(limited.headers.get('retry-after'));
    expect(waitSeconds).toBeGreaterThanOrEqual(1);
    expect(waitSeconds).toBeLessThanOrEqual(3);
    expect(await limited.json()).toMatchObject({ error_code: 'REQUEST_LIMIT_EXCEEDED' });
    expect((await get(EXPERIMENT, basic('ada', PASSWORD))).status).toBe(429);
    expect((await get(EXPERIMENT, basic('bob', 'b0b'))).status).toBe(200);
    expect(gateway.log.join('\n')).toContain('too many failed attempts');
    await sleep(waitSeconds * 1_000);
    expect((await get(EXPERIMENT, basic('ada', PASSWORD))).status).toBe(200);
  });

  it('with many names do not keep out who was let in before', async () => {
    await open({ auth: { attempts: { perAddress: 4 } } });
    expect((await get(EXPERIMENT, basic('ada', PASSWORD))).status).toBe(200);
    const statuses: number[] = [];
    for (let i = 0; i < 6; i++) statuses.push((await get(EXPERIMENT, basic(`guess-${i}`, 'wrong horse'))).status);
    expect(statuses).toEqual([401, 401, 401, 401, 429, 429]);
    expect((await get(EXPERIMENT, basic('ada', PASSWORD))).status).toBe(200);
  });

  it('count once where a browser sends them all at the same time', async () => {
    await open({ auth: { attempts: { perUserAndAddress: 2 } } });
    const statusesOf = (user: string, password: string) =>
      Promise.all(Array.from({ length: 30 }, async () => (await get(EXPERIMENT, basic(user, password))).status));
    expect(new Set(await statusesOf('ada', PASSWORD))).toEqual(new Set([200]));
  });
});
