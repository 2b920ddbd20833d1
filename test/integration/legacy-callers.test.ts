import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MlflowUser } from '../fixtures/mlflow-user.ts';
import { type OpenGateway, openGateway } from '../fixtures/open-gateway.ts';
import type { Service } from '../services/launch.ts';
import { startMlflow } from '../services/mlflow.ts';

const PASSWORD = 'the password of the administrator';
const OLD = '2.0/preview/mlflow';
const TODAY = '2.0/mlflow';

interface Place {
  readonly id: string;
  readonly run: string;
}

let mlflow: Service;
let gateway: OpenGateway;
let admin: MlflowUser;
let user: MlflowUser;
/** Of an experiment that `user` may read, and of one that they may not. */
let open: Place;
let closed: Place;

beforeAll(async () => {
  mlflow = await startMlflow({
    auth: { adminPassword: PASSWORD, defaultPermission: 'NO_PERMISSIONS', passwordCacheSeconds: 600 },
  });
  admin = new MlflowUser('admin', PASSWORD);
  user = await admin.create(mlflow.url, 'user', 'the password of the user');
  open = await createExperiment('open');
  closed = await createExperiment('closed');
  await admin.allow(mlflow.url, user, ['experiment', open.id], 'READ');
  gateway = await openGateway(
    { upstream: { url: mlflow.url, username: 'admin', passwordEnv: 'SECRET' }, log: { level: 'warn' } },
    undefined,
    { upstreamPassword: PASSWORD },
  );
});
afterAll(async () => {
  await gateway.close();
  await mlflow.stop();
});

async function createExperiment(name: string): Promise<Place> {
  const { experiment_id: id } = await admin.demand(mlflow.url, `${TODAY}/experiments/create`, { name });
  const { run } = await admin.demand(mlflow.url, `${TODAY}/runs/create`, { experiment_id: id });
  const { run_id } = (run as { info: { run_id: string } }).info;
  await admin.demand(mlflow.url, `${TODAY}/runs/log-parameter`, { run_id, key: 'p', value: name });
  return { id: String(id), run: run_id };
}

/** As an administrator first, so that cache and index know everything, then twice as the user. */
async function ask(path: string, body?: unknown) {
  await admin.ask(gateway.url, path, body);
  const answers = [await user.ask(gateway.url, path, body), await user.ask(gateway.url, path, body)];
  const [first, second] = answers.map(({ status, text }) => ({ status, text }));
  expect(second).toEqual(first);
  return { ...(first as { status: number; text: string }), source: answers[1]?.source };
}

describe('old requests of callers of a server with rights', () => {
  it('are answered with what they may read, from the cache', async () => {
    const experiment = await ask(`${OLD}/experiments/get?experiment_id=${open.id}`);
    expect([experiment.status, experiment.source]).toEqual([200, 'cache']);
    expect(JSON.parse(experiment.text)).toMatchObject({ experiment: { name: 'open' }, runs: [{ run_id: open.run }] });
    const param = await ask(`${OLD}/params/get?run_uuid=${open.run}&param_name=p`);
    expect([JSON.parse(param.text), param.source]).toEqual([{ parameter: { key: 'p', value: 'open' } }, 'cache']);
    const { experiments } = JSON.parse((await ask(`${OLD}/experiments/list`)).text);
    expect(experiments.map(({ name }: { name: string }) => name)).toEqual(['open']);
  });

  it('find no runs of others', async () => {
    const anded_expressions = [{ parameter: { key: 'p', string: { comparator: '!=', value: '' } } }];
    const found = await ask(`${OLD}/runs/search`, {
      experiment_ids: [Number(open.id), Number(closed.id)],
      anded_expressions,
    });
    expect(JSON.parse(found.text).runs.map(({ info }: { info: { run_id: string } }) => info.run_id)).toEqual([
      open.run,
    ]);
    expect(await ask(`${OLD}/runs/list?experiment_id=${closed.id}`)).toMatchObject({ status: 200, text: '{}' });
  });

  it('are refused as those of today are', async () => {
    const pairs: [string, string, unknown?][] = [
      [`experiments/get?experiment_id=${closed.id}`, `experiments/get?experiment_id=${closed.id}`],
      [`params/get?run_uuid=${closed.run}&param_name=p`, `runs/get?run_id=${closed.run}`],
      [`metrics/get?run_uuid=${closed.run}&metric_key=m`, `runs/get?run_id=${closed.run}`],
      [`runs/get?run_uuid=${closed.run}`, `runs/get?run_id=${closed.run}`],
      [`artifacts/list?run_uuid=${closed.run}`, `artifacts/list?run_id=${closed.run}`],
    ];
    for (const [old, today] of pairs) {
      const { status, text } = await user.ask(mlflow.url, `${TODAY}/${today}`);
      expect(status).toBe(403);
      expect([old, await ask(`${OLD}/${old}`)]).toMatchObject([old, { status, text }]);
    }
    const artifact = await ask(`${OLD}/artifacts/get?run_uuid=${closed.run}&path=x`);
    expect(artifact.status).toBe(403);
    const write = await ask(`${OLD}/runs/set-tag`, { run_uuid: closed.run, key: 'k', value: 'v' });
    expect(write.status).toBe(403);
  });

  it('are refused without a name, or with a wrong password', async () => {
    const answer = await fetch(`${gateway.url}/api/${OLD}/params/get?run_uuid=${open.run}&param_name=p`);
    expect([answer.status, answer.headers.get('www-authenticate')]).toEqual([401, 'Basic realm="mlflow"']);
    const stranger = new MlflowUser('user', 'wrong');
    expect(await stranger.ask(gateway.url, `${OLD}/experiments/list`)).toMatchObject({ status: 401 });
  });
});
