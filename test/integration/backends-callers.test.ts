import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from 'vitest';
import { authorizationOf } from '../../src/upstream/authorization.ts';
import { createRun } from '../fixtures/create-run.ts';
import { guardServer } from '../fixtures/guarded-server.ts';
import { MlflowUser } from '../fixtures/mlflow-user.ts';
import { type OpenGateway, openGateway } from '../fixtures/open-gateway.ts';
import { postJson } from '../fixtures/post-json.ts';
import { createExperiments } from '../fuzz/load-runs.ts';
import type { Service } from '../services/launch.ts';
import { startMlflow } from '../services/mlflow.ts';

const PASSWORD = 'the password of the administrator';
const API = '/api/2.0/mlflow';

let lab: string;
let guarded: Service;
let admin: MlflowUser;
let user: MlflowUser;
let gateway: OpenGateway;
let experiment: string;
let run: string;

beforeAll(async () => {
  lab = inject('mlflowUrl');
  [experiment = ''] = await createExperiments(lab, 1, 'callers');
  run = await createRun(lab, { experiment_id: experiment });
  guarded = await startMlflow({
    auth: { adminPassword: PASSWORD, defaultPermission: 'NO_PERMISSIONS', passwordCacheSeconds: 600 },
  });
  admin = new MlflowUser('admin', PASSWORD);
  user = await admin.create(guarded.url, 'user', 'the password of the user');
});
afterEach(() => gateway?.close());
afterAll(() => guarded?.stop());

interface Found {
  readonly runs?: readonly { info: { run_id: string } }[];
  readonly experiments?: readonly { name: string }[];
}

describe('callers of several backends', () => {
  it('find in the first what it lets them read, with a search over all, and never more', async () => {
    const ids: Record<string, string> = {};
    for (const name of ['open', 'closed']) {
      const { experiment_id } = await admin.demand(guarded.url, '2.0/mlflow/experiments/create', { name });
      const made = await admin.demand(guarded.url, '2.0/mlflow/runs/create', { experiment_id });
      ids[name] = String(experiment_id);
      ids[`run in ${name}`] = (made.run as { info: { run_id: string } }).info.run_id;
    }
    await admin.allow(guarded.url, user, ['experiment', ids.open ?? ''], 'READ');
    gateway = await openGateway(
      {
        upstream: { url: guarded.url, username: 'admin', passwordEnv: 'SECRET' },
        backends: { lab: { url: lab } },
        permissions: { maxAgeSeconds: 1 },
        log: { level: 'warn' },
      },
      undefined,
      { upstreamPassword: PASSWORD },
    );
    const asked = { experiment_ids: [ids.open, ids.closed, `lab-${experiment}`] };
    const search = async (who: MlflowUser) => {
      const { status, text } = await who.ask(gateway.url, '2.0/mlflow/runs/search', asked);
      const { runs = [] } = JSON.parse(text) as Found;
      return { status, ids: runs.map(({ info }) => info.run_id).sort() };
    };
    const [inOpen, inClosed] = [ids['run in open'], ids['run in closed']] as [string, string];
    // The one who may read everything first, so that there is something to be found in a cache.
    for (let i = 0; i < 2; i++) {
      expect(await search(admin)).toEqual({ status: 200, ids: [inOpen, inClosed, `lab-${run}`].sort() });
      expect(await search(user)).toEqual({ status: 200, ids: [inOpen, `lab-${run}`].sort() });
      const nobody = await postJson(`${gateway.url}${API}/runs/search`, asked);
      expect(nobody.status).toBe(401);
      expect(nobody.headers.get('www-authenticate')).toMatch(/^Basic/);
    }
    const list = await user.ask(gateway.url, '2.0/mlflow/experiments/search', { max_results: 1_000 });
    const names = ((JSON.parse(list.text) as Found).experiments ?? []).map(({ name }) => name);
    expect(names).toContain('open');
    expect(names).not.toContain('closed');
    expect(names.some((name) => name.startsWith('lab/callers'))).toBe(true);
  });

  it("act under the gateway's name at another backend, as far as the rules let them", async () => {
    const server = await guardServer(lab, String(authorizationOf({ token: 'secret' })));
    try {
      gateway = await openGateway(
        {
          upstream: { url: lab.replace('127.0.0.1', 'localhost') },
          backends: { lab: { url: server.url, tokenEnv: 'SECRET' } },
          auth: { mode: 'none' },
          access: { read: ['anyone'], write: [] },
          log: { level: 'warn' },
        },
        undefined,
        { backends: { lab: { password: undefined, token: 'secret' } } },
      );
      const headers = { authorization: 'Bearer of the caller', cookie: 'of=the-caller' };
      const read = await fetch(`${gateway.url}${API}/runs/get?run_id=lab-${run}`, { headers });
      expect(read.status).toBe(200);
      expect(read.headers.get('set-cookie')).toBeNull();
      const write = { run_id: `lab-${run}`, key: 'k', value: 'v' };
      expect((await postJson(`${gateway.url}${API}/runs/set-tag`, write, headers)).status).toBe(403);
      const found = await postJson(`${gateway.url}${API}/experiments/search`, { max_results: 9 }, headers);
      expect(found.status).toBe(200);
      expect(found.headers.get('set-cookie')).toBeNull();
      for (const { authorization, cookie } of server.seen) {
        expect(authorization).toBe('Bearer secret');
        expect(cookie).toBeUndefined();
      }
    } finally {
      await server.stop();
    }
  });
});
