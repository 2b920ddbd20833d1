import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { MlflowUser } from '../fixtures/mlflow-user.ts';
import { type OpenGateway, openGateway } from '../fixtures/open-gateway.ts';
import { UnreliableProxy } from '../fixtures/unreliable-proxy.ts';
import type { Service } from '../services/launch.ts';
import { startMlflow } from '../services/mlflow.ts';

const PASSWORD = 'the password of the administrator';
const MAX_AGE_SECONDS = 1;
const SEARCH = '2.0/mlflow/runs/search';

let mlflow: Service;
let admin: MlflowUser;
let user: MlflowUser;
let other: MlflowUser;
/** Of an experiment that `user` may read, and of one that they may not. */
let open: { id: string; run: string };
let closed: { id: string; run: string };
let gateway: OpenGateway;

async function createExperiment(name: string) {
  const { experiment_id } = await admin.demand(mlflow.url, '2.0/mlflow/experiments/create', { name });
  const id = String(experiment_id);
  return { id, run: await createRun(mlflow.url, id) };
}

async function createRun(base: string, experimentId: string): Promise<string> {
  const { run } = await admin.demand(base, '2.0/mlflow/runs/create', { experiment_id: experimentId });
  return (run as { info: { run_id: string } }).info.run_id;
}

beforeAll(async () => {
  mlflow = await startMlflow({
    auth: { adminPassword: PASSWORD, defaultPermission: 'NO_PERMISSIONS', passwordCacheSeconds: 600 },
  });
  admin = new MlflowUser('admin', PASSWORD);
  user = await admin.create(mlflow.url, 'user', 'the password of the user');
  other = await admin.create(mlflow.url, 'other', 'the password of the other');
  open = await createExperiment('open');
  closed = await createExperiment('closed');
  await admin.allow(mlflow.url, user, ['experiment', open.id], 'READ');
});
afterAll(() => mlflow.stop());
afterEach(() => gateway.close());

interface Place {
  readonly upstream?: string;
  readonly username?: string;
  readonly password?: string;
}

async function start({ upstream = mlflow.url, username = 'admin', password = PASSWORD }: Place = {}): Promise<string> {
  gateway = await openGateway(
    {
      upstream: { url: upstream, username, passwordEnv: 'SECRET' },
      permissions: { maxAgeSeconds: MAX_AGE_SECONDS },
      log: { level: 'info' },
    },
    undefined,
    { upstreamPassword: password },
  );
  return gateway.url;
}

const runIdsIn = (text: string) =>
  ((JSON.parse(text).runs ?? []) as { info: { run_id: string } }[]).map(({ info }) => info.run_id).sort();

/** Asks twice, so that the second answer is from the cache if any is; gives that one, after comparing both with MLflow's. */
async function askTwice(base: string, who: MlflowUser, path: string, body?: unknown) {
  const expected = await who.ask(mlflow.url, path, body);
  const answers = [await who.ask(base, path, body), await who.ask(base, path, body)];
  for (const { status, text } of answers) {
    expect(status).toBe(expected.status);
    if (status === 200) expect(JSON.parse(text)).toEqual(JSON.parse(expected.text));
    else expect(text).toBe(expected.text);
  }
  return answers[1] as (typeof answers)[number];
}

const bothExperiments = () => ({ experiment_ids: [open.id, closed.id] });

describe('callers of a server with rights', () => {
  it('find the runs that they may read, and get the same from the cache', async () => {
    const url = await start();
    const everything = await askTwice(url, admin, SEARCH, bothExperiments());
    expect(runIdsIn(everything.text)).toEqual([open.run, closed.run].sort());
    const some = await askTwice(url, user, SEARCH, bothExperiments());
    expect(runIdsIn(some.text)).toEqual([open.run]);
    const nothing = await askTwice(url, other, SEARCH, bothExperiments());
    expect(runIdsIn(nothing.text)).toEqual([]);
    expect([everything.cache, some.cache]).toEqual(['HIT', 'HIT']);
  });

  it('get runs, experiments and histories that they may read from the cache, and are refused the others', async () => {
    const url = await start();
    const paths = ({ id, run }: typeof open, name: string) => [
      `2.0/mlflow/runs/get?run_id=${run}`,
      `2.0/mlflow/metrics/get-history?run_id=${run}&metric_key=m&max_results=10`,
      `2.0/mlflow/metrics/get-history-bulk-interval?run_ids=${run}&metric_key=m&max_results=10`,
      `2.0/mlflow/experiments/get?experiment_id=${id}`,
      `2.0/mlflow/experiments/get-by-name?experiment_name=${name}`,
    ];
    for (const path of [...paths(open, 'open'), ...paths(closed, 'closed')]) await askTwice(url, admin, path);
    for (const path of paths(open, 'open')) expect(await askTwice(url, user, path)).toMatchObject({ cache: 'HIT' });
    for (const path of paths(closed, 'closed')) expect(await askTwice(url, user, path)).toMatchObject({ status: 403 });
  });

  it('see the experiments that they may read, each their own', async () => {
    const url = await start();
    const names = async (who: MlflowUser) => {
      const { text, cache } = await askTwice(url, who, '2.0/mlflow/experiments/search', { max_results: 10 });
      expect(cache).toBe('HIT');
      return (JSON.parse(text).experiments ?? []).map(({ name }: { name: string }) => name).sort();
    };
    expect(await names(admin)).toEqual(['Default', 'closed', 'open']);
    expect(await names(user)).toEqual(['open']);
    expect(await names(other)).toEqual([]);
  });

  it('are not who they say with a wrong password, or with none, whatever is kept', async () => {
    const url = await start();
    await askTwice(url, user, SEARCH, bothExperiments());
    const { status, text } = await askTwice(url, new MlflowUser('user', 'wrong'), SEARCH, bothExperiments());
    expect([status, text]).toEqual([401, expect.stringContaining('You are not authenticated')]);
    const nobody = await fetch(`${url}/api/2.0/mlflow/runs/get?run_id=${open.run}`);
    expect([nobody.status, nobody.headers.get('www-authenticate')]).toEqual([401, 'Basic realm="mlflow"']);
  });

  it('are not told anything by an ETag of what they may not read', async () => {
    const url = await start();
    const path = `/api/2.0/mlflow/runs/get?run_id=${closed.run}`;
    const known = await fetch(url + path, { headers: { authorization: admin.authorization } });
    const etag = String(known.headers.get('etag'));
    const asked = { authorization: user.authorization, 'if-none-match': etag };
    expect(etag).toMatch(/^"/);
    expect((await fetch(url + path, { headers: asked })).status).toBe(403);
  });
});

describe('a right', () => {
  afterEach(() => admin.allow(mlflow.url, other, ['experiment', open.id], 'none'));
  const mayRead = async (url: string) => {
    const path = `2.0/mlflow/runs/get?run_id=${open.run}`;
    const [found, run] = [await other.ask(url, SEARCH, bothExperiments()), await other.ask(url, path)];
    return [runIdsIn(found.text).length, run.status];
  };

  it('counts at once when it is given or withdrawn through the gateway', async () => {
    const url = await start();
    for (const level of ['READ', 'DENY', 'MANAGE', 'none'] as const) {
      await admin.allow(url, other, ['experiment', open.id], level);
      for (let i = 0; i < 2; i++)
        expect(await mayRead(url)).toEqual(level === 'READ' || level === 'MANAGE' ? [1, 200] : [0, 403]);
    }
  });

  it('counts after the stated time when it is withdrawn past the gateway', async () => {
    const url = await start();
    await admin.allow(mlflow.url, other, ['experiment', open.id], 'READ');
    expect(await mayRead(url)).toEqual([1, 200]);
    await admin.allow(mlflow.url, other, ['experiment', open.id], 'DENY');
    const withdrawn = performance.now();
    await expect.poll(() => mayRead(url), { timeout: 5_000 }).toEqual([0, 403]);
    expect(performance.now() - withdrawn).toBeLessThan(MAX_AGE_SECONDS * 1_000 + 1_000);
  });

  it('that is withdrawn while the server is asked about it is not remembered', async () => {
    const slow = await UnreliableProxy.start(mlflow.url);
    const url = await start({ upstream: slow.url });
    const experiments = () => other.ask(url, '2.0/mlflow/experiments/search', { max_results: 10 });
    await admin.allow(url, other, ['experiment', open.id], 'READ');
    await admin.ask(url, SEARCH, bothExperiments());
    const { promise: until, resolve: release } = Promise.withResolvers<void>();
    slow.misbehave(({ path }) => (path.endsWith('/search') ? { until } : undefined));
    const early = [other.ask(url, SEARCH, bothExperiments()), experiments()];
    await expect.poll(() => slow.held, { timeout: 10_000 }).toBe(2);
    await admin.allow(url, other, ['experiment', open.id], 'none');
    slow.misbehave();
    const late = async () => [(await other.ask(url, SEARCH, bothExperiments())).text, (await experiments()).text];
    expect(await late()).toEqual(['{}', '{}']);
    release();
    expect((await Promise.all(early)).map(({ text }) => text.includes(open.id))).toEqual([true, true]);
    expect(await late()).toEqual(['{}', '{}']);
    await slow.stop();
  });

  it('to all runs is told apart from one to their experiment', async () => {
    const url = await start();
    await admin.allow(url, other, ['experiment', open.id], 'READ');
    await admin.allow(url, other, ['run', '*'], 'DENY');
    expect(await mayRead(url)).toEqual([0, 403]);
    const { status } = await askTwice(url, other, `2.0/mlflow/experiments/get?experiment_id=${open.id}`);
    expect(status).toBe(200);
    await admin.allow(url, other, ['run', '*'], 'none');
    expect(await mayRead(url)).toEqual([1, 200]);
  });

  it('to an experiment without runs counts for its first one', async () => {
    const url = await start();
    const { experiment_id } = await admin.demand(url, '2.0/mlflow/experiments/create', { name: `new ${Date.now()}` });
    const id = String(experiment_id);
    const search = () => other.ask(url, SEARCH, { experiment_ids: [open.id, id] });
    await admin.allow(url, other, ['experiment', open.id], 'READ');
    expect(runIdsIn((await search()).text)).toEqual([open.run]);
    const hidden = await createRun(url, id);
    expect(runIdsIn((await search()).text)).toEqual([open.run]);
    await admin.allow(url, other, ['experiment', id], 'READ');
    expect(runIdsIn((await search()).text)).toEqual([open.run, hidden].sort());
  });

  it('to logged models decides on what is shown of a run', async () => {
    const url = await start();
    const { id, run } = open;
    const made = await admin.demand(url, '2.0/mlflow/logged-models', { experiment_id: id, source_run_id: run });
    const { model_id } = (made.model as { info: { model_id: string } }).info;
    await admin.demand(url, '2.0/mlflow/runs/outputs', { run_id: run, models: [{ model_id, step: 0 }] });
    await admin.allow(url, other, ['experiment', id], 'READ');
    const shown = await askTwice(url, other, SEARCH, bothExperiments());
    expect([shown.cache, shown.text]).toEqual(['HIT', expect.stringContaining(model_id)]);
    await admin.allow(url, other, ['logged_model', '*'], 'DENY');
    const hidden = await askTwice(url, other, SEARCH, bothExperiments());
    expect(hidden.text).not.toContain(model_id);
    expect((await askTwice(url, other, `2.0/mlflow/runs/get?run_id=${run}`)).text).not.toContain(model_id);
    await admin.allow(url, other, ['logged_model', '*'], 'none');
  });
});

it('is left to the server where the gateway is no administrator, or not let in', async () => {
  for (const { username, password } of [
    { username: 'user', password: 'the password of the user' },
    { username: 'admin', password: 'wrong' },
  ]) {
    const url = await start({ username, password });
    await askTwice(url, admin, SEARCH, bothExperiments());
    expect(await askTwice(url, user, SEARCH, bothExperiments())).toMatchObject({ cache: 'BYPASS' });
    await gateway.close();
  }
  await start();
});
