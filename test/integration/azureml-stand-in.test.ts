import { Agent, fetch } from 'undici';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import { isGuid, toExperimentGuid, toExperimentNumber, toRunGuid, toRunHex } from '../azureml-stand-in/ids.ts';
import { type Rules, withDefaults } from '../azureml-stand-in/rules.ts';
import { type AzureMlStandIn, startAzureMlStandIn } from '../azureml-stand-in/start-azure-ml-stand-in.ts';
import { createRun } from '../fixtures/create-run.ts';
import { post } from '../fuzz/load-runs.ts';

const mlflowUrl = inject('mlflowUrl');
let standIn: AzureMlStandIn;
let agent: Agent;
let token: string;

beforeAll(async () => {
  standIn = await startAzureMlStandIn({ upstream: mlflowUrl });
  agent = new Agent({ connect: { ca: standIn.ca } });
  token = standIn.issueToken({ displayName: 'Test Caller' });
});
beforeEach(() => standIn.change(withDefaults()));
afterAll(async () => {
  await agent.destroy();
  await standIn.stop();
});

interface Asked {
  readonly method?: string;
  readonly body?: unknown;
  readonly headers?: Record<string, string>;
  /** `false`: none. */
  readonly token?: string | false;
  readonly place?: string;
}

interface Got {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  // biome-ignore lint/suspicious/noExplicitAny: whatever JSON there is
  readonly body: any;
}

async function ask(path: string, asked: Asked = {}): Promise<Got> {
  const { body, place = `/mlflow/v2.0${standIn.scope}/api/2.0/mlflow/`, headers = {} } = asked;
  const { method = body === undefined ? 'GET' : 'POST' } = asked;
  const bearer = asked.token ?? token;
  const response = await fetch(`${standIn.url}${place}${path}`, {
    method,
    dispatcher: agent,
    headers: {
      'content-type': 'application/json',
      ...(bearer === false ? {} : { authorization: `Bearer ${bearer}` }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, headers: response.headers as Headers, text, body: parse(text) };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Does it while these rules differ from the defaults. */
async function withRules<T>(changed: Partial<Rules>, act: () => Promise<T>): Promise<T> {
  standIn.change(changed);
  try {
    return await act();
  } finally {
    standIn.change(withDefaults());
  }
}

let made = 0;
const uniqueName = () => `stand-in-${process.pid}-${Date.now()}-${made++}`;

/** An experiment of the test's own: as Azure knows it, and as MLflow does. */
async function newExperiment(): Promise<{ id: string; number: string }> {
  const { body } = await ask('experiments/create', { body: { name: uniqueName() } });
  return { id: body.experiment_id, number: toExperimentNumber(body.experiment_id) ?? '' };
}

async function newRun(experiment: string, more: object = {}): Promise<string> {
  const { body } = await ask('runs/create', {
    body: { experiment_id: experiment, start_time: 1_700_000_000_000, ...more },
  });
  return body.run.info.run_id;
}

const search = (experiment: string, more: object = {}): Promise<Got> =>
  ask('runs/search', { body: { experiment_ids: [experiment], ...more } });

const idsOf = ({ body }: Got): string[] =>
  (body.runs ?? []).map((run: { info: { run_id: string } }) => run.info.run_id);

describe('ids', () => {
  it.each(['0', '1', '2', '479', '999999999999999999', '9223372036854775807'])('experiment %s has a GUID', (number) => {
    const guid = toExperimentGuid(number);
    expect(isGuid(guid)).toBe(true);
    expect(toExperimentNumber(guid)).toBe(number);
  });

  it('a run id is the same with dashes', () => {
    const guid = toRunGuid('0123456789abcdef0123456789abcdef');
    expect(guid).toBe('01234567-89ab-cdef-0123-456789abcdef');
    expect(toRunHex(guid)).toBe('0123456789abcdef0123456789abcdef');
  });

  it('a GUID of no experiment has no number', () =>
    expect(toExperimentNumber('01234567-89ab-cdef-0123-456789abcdef')).toBeUndefined());
});

describe('who is calling', () => {
  const anything = 'experiments/get?experiment_id=0';

  it('is asked for a token', async () => {
    const { status, body } = await ask(anything, { token: false });
    expect(status).toBe(401);
    expect(body.error).toMatchObject({ code: 'UserError', message: 'Bearer token not provided.' });
    expect(body.error.innerError.code).toBe('AuthorizationError');
    expect(body.error_code).toBeUndefined();
    expect((await withRules({ tokenRequired: false }, () => ask(anything, { token: false }))).status).toBe(200);
  });

  it('is let in with a token for one of the audiences, that has not expired', async () => {
    const statusWith = async (bearer: string) => (await ask(anything, { token: bearer })).status;
    for (const audience of [
      'https://management.azure.com/',
      'https://ml.azure.com',
      'https://management.core.windows.net/',
    ])
      expect(await statusWith(standIn.issueToken({ audience }))).toBe(200);
    const refused = [
      standIn.issueToken({ audience: 'https://graph.microsoft.com' }),
      standIn.issueToken({ expiresInMs: -1 }),
      'made.up.token',
    ];
    for (const bearer of refused) expect(await statusWith(bearer)).toBe(401);
    for (const bearer of refused) expect(await withRules({ tokenChecked: false }, () => statusWith(bearer))).toBe(200);
  });

  it('may do what its rights allow', async () => {
    const [reader, nobody] = [standIn.issueToken({ rights: 'read' }), standIn.issueToken({ rights: 'none' })];
    const write = { body: { name: uniqueName() } };
    expect((await ask(anything, { token: reader })).status).toBe(200);
    const refused = [
      await ask(anything, { token: nobody }),
      await ask('experiments/create', { ...write, token: reader }),
    ];
    for (const { status, text } of refused) expect([status, text]).toEqual([403, '']);
    const answer = await withRules({ rightsChecked: false }, () =>
      ask('experiments/create', { ...write, token: nobody }),
    );
    expect(answer.status).toBe(200);
  });
});

describe('where it is', () => {
  it.each(['v1.0', 'v2.0'])('serves %s', async (version) =>
    expect(
      (await ask('experiments/get?experiment_id=0', { place: `/mlflow/${version}${standIn.scope}/api/2.0/mlflow/` }))
        .status,
    ).toBe(200),
  );

  it('knows no other version or scope', async () => {
    const places = [
      `/mlflow/v3.0${standIn.scope}/api/2.0/mlflow/`,
      `/mlflow/v2.0${standIn.scope}2/api/2.0/mlflow/`,
      `/mlflow/v2.0${standIn.scope.replace('resourceGroups', 'resourcegroups')}/api/2.0/mlflow/`,
    ];
    const other = async () => Promise.all(places.map((place) => ask('experiments/get?experiment_id=0', { place })));
    expect((await other()).map(({ status, text }) => [status, text])).toEqual(places.map(() => [404, '']));
    const answers = await withRules({ scopeOnly: false }, other);
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
  });
});

describe('the form of answers', () => {
  it('has 64-bit integers as text, and takes both', async () => {
    const { id } = await newExperiment();
    const created = await ask('runs/create', { body: { experiment_id: id, start_time: '1700000000001' } });
    expect(created.body.run.info.start_time).toBe('1700000000001');
    const runId = created.body.run.info.run_id;
    const point = { run_id: runId, key: 'm', value: 1, timestamp: 5, step: '9007199254740993' };
    await ask('runs/log-metric', { body: point });
    const read = () => ask(`runs/get?run_id=${runId}`);
    expect((await read()).body.run.data.metrics).toEqual([
      { key: 'm', value: 1, timestamp: '5', step: '9007199254740993' },
    ]);
    const asNumbers = await withRules({ int64AsText: false }, read);
    expect(asNumbers.body.run.info.start_time).toBe(1_700_000_000_001);
    const refused = await withRules({ int64FromText: false }, () => ask('runs/log-metric', { body: point }));
    expect(refused.status).toBe(400);
  });

  it('leaves empty lists out, and has a blank in an empty object', async () => {
    const { id } = await newExperiment();
    const runId = await newRun(id);
    const { run } = (await ask(`runs/get?run_id=${runId}`)).body;
    expect(run.inputs).toEqual({});
    expect(run).not.toHaveProperty('outputs');
    expect(run.data).not.toHaveProperty('metrics');
    const tag = () => ask('runs/set-tag', { body: { run_id: runId, key: 'a', value: 'b' } });
    const { text, headers } = await tag();
    expect([text, headers.get('content-encoding')]).toEqual(['{ }', 'gzip']);
    expect((await withRules({ blankInEmptyAnswers: false }, tag)).text).toBe('{}');
    expect((await search(id, { filter: "tags.none = 'x'" })).text).toBe('{ }');
  });

  it('is compressed only when that is accepted', async () => {
    const path = 'experiments/get?experiment_id=0';
    const encoding = async (accepted: string) =>
      (await ask(path, { headers: { 'accept-encoding': accepted } })).headers.get('content-encoding');
    expect(await encoding('gzip, br')).toBe('gzip');
    expect(await encoding('identity')).toBeNull();
    expect(await withRules({ gzip: false }, () => encoding('gzip'))).toBeNull();
  });

  it('has the headers of the service', async () => {
    const get = () => ask('experiments/get?experiment_id=0', { headers: { 'x-ms-client-request-id': 'one' } });
    const [{ headers }, plain] = [await get(), await withRules({ answerHeaders: false }, get)];
    expect(headers.get('request-context')).toMatch(/^appId=cid-v1:/);
    expect(headers.get('x-ms-client-request-id')).toBe('one');
    expect(Number(headers.get('x-request-time'))).toBeGreaterThan(0);
    expect(plain.headers.get('request-context')).toBeNull();
  });

  it('names a fresh correlation in every error, and has no message at its top', async () => {
    const bad = async () => (await search('not-an-id')).body;
    const [first, second] = [await bad(), await bad()];
    expect(first).toMatchObject({ statusCode: 400, error_code: 'INVALID_PARAMETER_VALUE', ComponentName: 'mlflow' });
    expect(first.Error.Message).toBe("Invalid experiment id 'not-an-id'.");
    expect(first.message).toBeUndefined();
    expect(first.Correlation.operation).toMatch(/^[0-9a-f]{32}$/);
    expect(first.Correlation.operation).not.toBe(second.Correlation.operation);
  });

  it('is plain MLflow for an unknown run, by its id in Azure', async () => {
    const id = '01234567-89ab-cdef-0123-456789abcdef';
    const unknown = { error_code: 'RESOURCE_DOES_NOT_EXIST', message: `Run with id=${id} not found` };
    const answer = await ask(`runs/get?run_id=${id}`);
    expect([answer.status, answer.body]).toEqual([404, unknown]);
    expect((await ask(`runs/get?run_id=${toRunHex(id)}`)).status).toBe(404);
  });

  it('is empty for what is not there', async () => {
    for (const path of ['runs/nothing', 'experiments/list', 'logged-models/m-1']) {
      const { status, text } = await ask(path);
      expect([path, status, text]).toEqual([path, 404, '']);
    }
  });
});

describe('a run that is created', () => {
  const sent = {
    user_id: 'somebody',
    run_name: 'first',
    tags: [
      { key: 'mlflow.user', value: 'somebody' },
      { key: 'mlflow.source.name', value: 'train.py' },
      { key: 'mlflow.source.type', value: 'LOCAL' },
      { key: 'mlflow.source.git.commit', value: 'abc' },
    ],
  };

  it('is of its caller, with the tags the service adds and without those it loses', async () => {
    const { id } = await newExperiment();
    const objectId = '11111111-2222-4333-8444-555555555555';
    const other = standIn.issueToken({ displayName: 'Another Caller', objectId });
    const { run } = (await ask('runs/create', { body: { experiment_id: id, start_time: 1, ...sent }, token: other }))
      .body;
    expect(isGuid(run.info.run_id)).toBe(true);
    expect(run.info).toMatchObject({
      run_uuid: run.info.run_id,
      experiment_id: id,
      user_id: objectId,
      run_name: 'first',
    });
    expect(run.data.tags).toEqual([
      { key: 'mlflow.user', value: 'somebody' },
      { key: 'mlflow.source.git.commit', value: 'abc' },
      { key: 'mlflow.rootRunId', value: run.info.run_id },
      { key: 'mlflow.runName', value: 'first' },
      { key: 'mlflow.user', value: 'Another Caller' },
    ]);
    const place = `/mlflow/v2.0${standIn.scope}/experiments/${id}/runs/${run.info.run_id}/artifacts`;
    expect(run.info.artifact_uri).toBe(`${standIn.url.replace('https', 'azureml')}${place}`);
  });

  it('is as MLflow has it without these rules', async () => {
    const { id } = await newExperiment();
    const off = { callerIsUser: false, addedTags: false, sourceTagsDropped: false, azureArtifactUri: false };
    const create = () => ask('runs/create', { body: { experiment_id: id, start_time: 1, ...sent } });
    const { run } = (await withRules(off, create)).body;
    expect(run.info.user_id).toBe('somebody');
    expect(run.info.artifact_uri).toMatch(/^mlflow-artifacts:/);
    expect(new Set(run.data.tags.map(({ key }: { key: string }) => key))).toEqual(
      new Set([...sent.tags.map(({ key }) => key), 'mlflow.runName']),
    );
  });

  it('keeps a source that is set later', async () => {
    const { id } = await newExperiment();
    const run_id = await newRun(id, sent);
    await ask('runs/set-tag', { body: { run_id, key: 'mlflow.source.name', value: 'train.py' } });
    const { run } = (await ask(`runs/get?run_id=${run_id}`)).body;
    expect(run.data.tags).toContainEqual({ key: 'mlflow.source.name', value: 'train.py' });
  });

  it('is in Default when its experiment is "0", which its artifacts remember', async () => {
    const create = () => ask('runs/create', { body: { experiment_id: '0', start_time: 1 } });
    const { run } = (await create()).body;
    expect(run.info.experiment_id).toBe(toExperimentGuid('0'));
    expect(run.info.artifact_uri).toContain('/experiments/0/runs/');
    const { experiment } = (await ask(`experiments/get?experiment_id=${run.info.experiment_id}`)).body;
    expect(experiment.name).toBe('Default');
    expect((await withRules({ zeroIsDefault: false }, create)).status).toBe(400);
  });

  it('takes no number of MLflow for an experiment', async () => {
    const { number } = await newExperiment();
    const create = () => ask('runs/create', { body: { experiment_id: number, start_time: 1 } });
    expect((await create()).status).toBe(400);
    expect((await withRules({ experimentIdsAreGuids: false }, create)).status).toBe(200);
  });

  it('has the root of its parent', async () => {
    const { id } = await newExperiment();
    const root = await newRun(id);
    const child = await newRun(id, { tags: [{ key: 'mlflow.parentRunId', value: root }] });
    const grandchild = await newRun(id, { tags: [{ key: 'mlflow.parentRunId', value: child }] });
    const { tags } = (await ask(`runs/get?run_id=${grandchild}`)).body.run.data;
    expect(tags).toContainEqual({ key: 'mlflow.parentRunId', value: child });
    expect(tags).toContainEqual({ key: 'mlflow.rootRunId', value: root });
    expect(idsOf(await search(id, { filter: `tags.mlflow.parentRunId = '${root}'` }))).toEqual([child]);
  });

  it('names its experiment in its artifacts on v1.0', async () => {
    const name = uniqueName();
    const { experiment_id } = (await ask('experiments/create', { body: { name } })).body;
    const place = `/mlflow/v1.0${standIn.scope}/api/2.0/mlflow/`;
    const { run } = (await ask('runs/create', { body: { experiment_id, start_time: 1 }, place })).body;
    expect(run.info.artifact_uri).toBe(`azureml://experiments/${name}/runs/${run.info.run_id}/artifacts`);
  });
});

describe('an update of a run', () => {
  it('sets an end of its own, and answers without artifact_uri', async () => {
    const { id } = await newExperiment();
    const run_id = await newRun(id);
    const end_time = 1_700_000_100_000;
    const update = async () =>
      (await ask('runs/update', { body: { run_id, status: 'FINISHED', end_time } })).body.run_info;
    const info = await update();
    expect(info).toMatchObject({ run_id, status: 'FINISHED' });
    expect(info).not.toHaveProperty('artifact_uri');
    expect(Number(info.end_time)).toBeLessThan(end_time);
    expect(Number(info.end_time)).toBeGreaterThan(end_time - 1_000);
    const plain = await withRules({ ownEndTime: false, updateWithoutArtifactUri: false }, update);
    expect(plain.end_time).toBe(`${end_time}`);
    expect(plain.artifact_uri).toMatch(/^azureml:/);
  });
});

describe('a run of a job', () => {
  it('has a name for an id, and the status of its state', async () => {
    const { id, number } = await newExperiment();
    const name = `boring_shirt_${uniqueName().replaceAll('-', '_')}`;
    const hex = await createRun(mlflowUrl, {
      experiment_id: number,
      start_time: 1,
      tags: [
        { key: 'azureml.standIn.runId', value: name },
        { key: 'azureml.standIn.jobState', value: 'Canceled' },
      ],
    });
    const get = (runId: string) => ask(`runs/get?run_id=${runId}`);
    const { run } = (await get(name)).body;
    expect(run.info).toMatchObject({ run_id: name, status: 'KILLED' });
    expect(JSON.stringify(run.data.tags)).not.toContain('standIn');
    expect((await get(toRunGuid(hex))).status).toBe(404);
    expect(idsOf(await search(id, { filter: `attributes.run_id IN ('${name}')` }))).toEqual([name]);
    await ask('runs/set-tag', { body: { run_id: name, key: 'a', value: 'b' } });
    expect(idsOf(await search(id, { filter: "tags.a = 'b'" }))).toEqual([name]);
    expect((await withRules({ jobRuns: false }, () => get(toRunGuid(hex)))).status).toBe(200);
  });
});

describe('a search of runs', () => {
  it('finds by metric, param and tag, and gives ids as GUIDs', async () => {
    const { id, number } = await newExperiment();
    const hex = await createRun(mlflowUrl, { experiment_id: number, start_time: 5, user_id: 'ada' });
    await createRun(mlflowUrl, { experiment_id: number, start_time: 6 });
    await post(mlflowUrl, 'runs/log-batch', {
      run_id: hex,
      metrics: [{ key: 'acc', value: 0.5, timestamp: 1, step: 2 }],
      params: [{ key: 'lr', value: '0.1' }],
      tags: [{ key: 'kind', value: 'a' }],
    });
    const filter = "metrics.acc > 0.4 AND params.lr = '0.1' AND tags.kind = 'a' and attributes.user_id = 'ada'";
    const answer = await search(id, { filter });
    expect(idsOf(answer)).toEqual([toRunGuid(hex)]);
  });
});
