import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from 'vitest';
import { type GatewayProcess, startGateway } from '../fixtures/gateway-process.ts';
import { type GuardedServer, guardServer } from '../fixtures/guarded-server.ts';
import { type OpenGateway, openGateway } from '../fixtures/open-gateway.ts';
import { postJson } from '../fixtures/post-json.ts';
import { runCommand } from '../fixtures/run-command.ts';
import { basic, fileOf, userLine } from '../fixtures/users-file.ts';
import type { Service } from '../services/launch.ts';
import { startMlflow } from '../services/mlflow.ts';

const OWN = 'Bearer own-token';
const SEARCH = '/api/2.0/mlflow/runs/search';
const CREATE = '/api/2.0/mlflow/experiments/create';
const EXPERIMENT = '/api/2.0/mlflow/experiments/get?experiment_id=0';

let guarded: GuardedServer;
let gateway: OpenGateway | undefined;
beforeAll(async () => {
  guarded = await guardServer(inject('mlflowUrl'), OWN);
});
afterEach(async () => {
  await gateway?.close();
  gateway = undefined;
  guarded.seen.length = 0;
});
afterAll(() => guarded.stop());

const settings = { dialect: 'sqlite', log: { level: 'trace' } } as const;
const named = { url: '', tokenEnv: 'T' };
const statusOf = async (url: string, headers: Record<string, string> = {}) =>
  (await (await fetch(`${url}/gateway/status`, { headers })).json()) as { unparsedSearches?: object[] };
const search = (url: string, filter: string) => postJson(url + SEARCH, { experiment_ids: ['0'], filter });

describe('mode none', () => {
  it("asks nobody, and says nothing of callers' names to the MLflow server", async () => {
    const auth = { mode: 'none' } as const;
    gateway = await openGateway({ ...settings, upstream: { url: guarded.url }, auth });
    await fetch(gateway.url + EXPERIMENT, { headers: basic('ada', 'hers') });
    await postJson(gateway.url + CREATE, {}, basic('ada', 'hers'));
    const asked = guarded.seen.filter(({ path }) => [EXPERIMENT, CREATE].includes(path));
    expect(asked.map(({ authorization }) => authorization)).toEqual([undefined, undefined]);
    expect(gateway.log.join('\n')).toContain('the MLflow server refuses the gateway');
  });

  it("lets all act under the gateway's name where the rules say so, or read alone", async () => {
    const upstream = { ...named, url: guarded.url };
    const access = { read: ['anyone'], write: [] };
    gateway = await openGateway({ ...settings, upstream, auth: { mode: 'none' }, access }, undefined, {
      upstreamToken: 'own-token',
    });
    const { url } = gateway;
    const read = await fetch(url + EXPERIMENT, { headers: basic('ada', 'hers') });
    expect([read.status, read.headers.get('cache-control')]).toEqual([200, 'no-cache']);
    expect((await fetch(url + EXPERIMENT)).headers.get('x-cache')).toBe('HIT');
    expect((await search(url, '')).status).toBe(200);
    expect((await fetch(`${url}/`)).status).toBe(200);
    const refused = await postJson(url + CREATE, { name: 'x' });
    expect([refused.status, refused.headers.get('www-authenticate')]).toEqual([403, null]);
    expect(await refused.json()).toMatchObject({
      error_code: 'PERMISSION_DENIED',
      message: expect.stringContaining('anyone in access.write'),
    });
    await search(url, 'not understood');
    expect((await statusOf(url)).unparsedSearches).toHaveLength(1);
    expect(gateway.log.join('\n')).not.toContain('own-token');
  });
});

describe('mode passthrough', () => {
  it("never gives the gateway's name to a caller, and shows what others searched for to none whom MLflow would ask", async () => {
    const upstream = { ...named, url: guarded.url };
    gateway = await openGateway({ ...settings, upstream }, undefined, { upstreamToken: 'own-token' });
    const { url } = gateway;
    for (const path of ['/', EXPERIMENT]) expect((await fetch(url + path)).status).toBe(401);
    expect((await search(url, 'not understood')).status).toBe(401);
    expect((await postJson(url + CREATE, { name: 'x' })).status).toBe(401);
    expect((await fetch(url + EXPERIMENT, { headers: { authorization: OWN } })).status).toBe(200);
    expect(await statusOf(url)).not.toHaveProperty('unparsedSearches');
  });

  it('shows them where MLflow answers anyone', async () => {
    gateway = await openGateway({ ...settings, upstream: { url: inject('mlflowUrl') } });
    await search(gateway.url, 'not understood');
    expect((await statusOf(gateway.url)).unparsedSearches).toHaveLength(1);
  });
});

describe("MLflow's basic-auth app behind", () => {
  const PASSWORD = 'admin-password-1234';
  let mlflow: Service;
  beforeAll(async () => {
    mlflow = await startMlflow({ auth: { adminPassword: PASSWORD, defaultPermission: 'NO_PERMISSIONS' } });
  });
  afterAll(() => mlflow.stop());

  it('knows the gateway alone, which shares answers, and lets nobody be what it is there', async () => {
    const usersFile = await fileOf(await userLine('ada', 'a'), await userLine('bob', 'b'));
    const upstream = { url: mlflow.url, username: 'admin', passwordEnv: 'P' };
    const auth = { mode: 'basic', usersFile } as const;
    gateway = await openGateway({ ...settings, upstream, auth }, undefined, { upstreamPassword: PASSWORD });
    const { url } = gateway;
    const [ada, bob] = [basic('ada', 'a'), basic('bob', 'b')];
    expect((await postJson(url + CREATE, { name: 'by ada' }, ada)).status).toBe(200);
    expect((await fetch(url + EXPERIMENT, { headers: ada })).headers.get('x-cache')).toBe('MISS');
    expect((await fetch(url + EXPERIMENT, { headers: bob })).headers.get('x-cache')).toBe('HIT');
    // In passthrough mode this is who comes in.
    expect((await fetch(url + EXPERIMENT, { headers: basic('admin', PASSWORD) })).status).toBe(401);
    const init = { method: 'PATCH', headers: { ...ada, 'content-type': 'application/json' } };
    const body = JSON.stringify({ username: 'admin', password: 'adas-password-1234' });
    const change = await fetch(`${url}/api/2.0/mlflow/users/update-password`, { ...init, body });
    expect(change.status).toBe(403);
    expect((await fetch(`${url}/api/2.0/mlflow/users/list`, { headers: ada })).status).toBe(403);
    const admin = await fetch(mlflow.url + EXPERIMENT, { headers: basic('admin', PASSWORD) });
    expect(admin.status).toBe(200);
    expect(gateway.log.join('\n')).not.toContain(PASSWORD);
  });
});

describe("MLflow's GraphQL", () => {
  it('has no mutation that changes anything, so that it may be asked by who may not write', async () => {
    const query = '{ __schema { mutationType { fields { name } } subscriptionType { name } } }';
    const answer = await postJson(`${inject('mlflowUrl')}/graphql`, { query });
    const { data } = (await answer.json()) as { data: { __schema: object } };
    expect(data.__schema).toEqual({
      // The last gives back what it is given.
      mutationType: { fields: ['mlflowSearchDatasets', 'mlflowSearchRuns', 'testMutation'].map((name) => ({ name })) },
      subscriptionType: null,
    });
  });
});

describe('as processes', () => {
  const PASSWORD = 'pass-of-ada';
  const processes: GatewayProcess[] = [];
  const folders: string[] = [];
  let env: NodeJS.ProcessEnv;
  beforeAll(async () => {
    const users = await fileOf(await userLine('ada', PASSWORD), await userLine('bob', 'pass-of-bob'));
    env = { GATEWAY_AUTH_MODE: 'basic', GATEWAY_AUTH_USERS_FILE: users, GATEWAY_ACCESS_WRITE: 'user:ada' };
  });
  afterEach(async () => {
    for (const each of processes.splice(0)) {
      await each.stop();
      expect(each.output()).not.toMatch(/pass-of|own-token/);
    }
    for (const folder of folders.splice(0)) await rm(folder, { recursive: true });
  });

  async function start(args: readonly string[], more: NodeJS.ProcessEnv = {}): Promise<string> {
    const started = await startGateway(args, { ...env, GATEWAY_LOG_LEVEL: 'trace', ...more });
    processes.push(started);
    return started.url;
  }

  async function judge(url: string): Promise<void> {
    const [ada, bob] = [basic('ada', PASSWORD), basic('bob', 'pass-of-bob')];
    const list = JSON.stringify({ max_results: 1 });
    const searchExperiments = (headers: Record<string, string>) =>
      postJson(`${url}/api/2.0/mlflow/experiments/search`, list, headers);
    const nobody = await searchExperiments({});
    expect([nobody.status, nobody.headers.get('www-authenticate')]).toEqual([401, 'Basic realm="mlflow"']);
    for (const path of ['/', '/gateway/status', '/api/2.0/mlflow-artifacts/artifacts', '/nowhere'])
      expect((await fetch(url + path)).status, path).toBe(401);
    for (const path of ['/health', '/version', '/gateway/livez', '/gateway/metrics'])
      expect((await fetch(url + path)).status, path).toBe(200);
    expect((await searchExperiments(ada)).status).toBe(200);
    expect((await searchExperiments(bob)).status).toBe(200);
    expect((await postJson(url + CREATE, { name: `by-bob-${url}` }, bob)).status).toBe(403);
    const upload = `${url}/api/2.0/mlflow-artifacts/artifacts/callers/${process.pid}`;
    expect((await fetch(upload, { method: 'PUT', headers: bob, body: 'x' })).status).toBe(403);
    expect((await fetch(upload, { method: 'PUT', body: 'x' })).status).toBe(401);
    expect((await postJson(url + CREATE, { name: `by-ada-${url}` }, ada)).status).toBe(200);
    expect((await fetch(upload, { method: 'PUT', headers: ada, body: 'x' })).status).toBe(200);
    expect((await fetch(upload, { headers: bob })).status).toBe(200);
  }

  it('the gateway without an MLflow server asks the same way', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'store-'));
    folders.push(folder);
    await judge(await start(['--data-dir', folder]));
  });

  it('each of several workers does', async () => {
    const args = ['--upstream', guarded.url, '--workers', '2'];
    const own = { GATEWAY_UPSTREAM_TOKEN_ENV: 'OWN_TOKEN', OWN_TOKEN: 'own-token', GATEWAY_CACHE_STORE: 'none' };
    const url = await start(args, own);
    // Connections are dealt out in turns.
    for (let i = 0; i < 4; i++) {
      const answer = await fetch(url + EXPERIMENT, { headers: { connection: 'close' } });
      expect(answer.status).toBe(401);
    }
    await judge(url);
  });

  it('the commands ask the gateway in the name that the MLflow client would use', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'index-'));
    folders.push(folder);
    const url = await start(['--upstream', inject('mlflowUrl'), '--data-dir', folder], {
      GATEWAY_INDEX_STORE: 'sqlite',
    });
    const args = ['index', 'status', '--upstream', inject('mlflowUrl'), '--data-dir', folder];
    const status = (more: NodeJS.ProcessEnv) =>
      runCommand(args, { ...env, GATEWAY_LISTEN_PORT: new URL(url).port, ...more });
    const named = await status({ MLFLOW_TRACKING_USERNAME: 'ada', MLFLOW_TRACKING_PASSWORD: PASSWORD });
    expect(named.stdout).toContain(`yes, by the gateway at ${url}`);
    const nobody = await status({});
    expect(nobody.stdout).toMatch(/unknown: the gateway at \S+ asks who is calling .*MLFLOW_TRACKING_USERNAME/);
  });
});

describe('the configuration', () => {
  it('says every contradiction at once, before anything is started', async () => {
    const users = await fileOf('ada:not-a-hash', 'bob');
    const { code, stderr } = await runCommand(['--check-config', '--upstream', 'http://mlflow'], {
      GATEWAY_AUTH_MODE: 'basic',
      GATEWAY_AUTH_USERS_FILE: users,
      GATEWAY_ACCESS_READ: 'group:team',
      GATEWAY_ACCESS_WRITE: 'everyone',
    });
    expect(code).toBe(2);
    expect(stderr).toContain('line 1: not a bcrypt hash');
    expect(stderr).toContain('line 2 is not user:hash');
    expect(stderr).toContain('access.read (GATEWAY_ACCESS_READ): names a group');
    expect(stderr).toContain('not anyone, authenticated, user:NAME or group:NAME');
    expect(stderr).not.toContain('not-a-hash');
  });
});
