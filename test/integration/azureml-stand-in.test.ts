import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { get } from 'node:https';
import { text } from 'node:stream/consumers';
import { Agent, fetch } from 'undici';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import { isGuid, toExperimentGuid, toExperimentNumber, toRunGuid, toRunHex } from '../azureml-stand-in/ids.ts';
import { PageTokens } from '../azureml-stand-in/page-tokens.ts';
import { type Rules, withDefaults } from '../azureml-stand-in/rules.ts';
import { type AzureMlStandIn, startAzureMlStandIn } from '../azureml-stand-in/start-azure-ml-stand-in.ts';
import { createRun } from '../fixtures/create-run.ts';
import { post } from '../fuzz/load-runs.ts';

const mlflowUrl = inject('mlflowUrl');
let standIn: AzureMlStandIn;
let agent: Agent;
let token: string;

beforeAll(async () => {
  standIn = await startAzureMlStandIn({ upstream: mlflowUrl, asyncDelayMs: 3_000 });
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

  it('may leave out what proto3 has by default', async () => {
    const { id, number } = await newExperiment();
    const hex = await createRun(mlflowUrl, { experiment_id: number, start_time: 1 });
    await post(mlflowUrl, 'runs/log-batch', {
      run_id: hex,
      metrics: [{ key: 'm', value: 0, timestamp: 7, step: 0 }],
      params: [
        { key: 'empty', value: '' },
        { key: 'zero', value: '0' },
      ],
    });
    const dataNow = async () => (await search(id)).body.runs[0].data;
    expect((await dataNow()).metrics).toEqual([{ key: 'm', value: 0, timestamp: '7', step: '0' }]);
    const { metrics, params } = await withRules({ zerosLeftOut: true }, dataNow);
    expect(metrics).toEqual([{ key: 'm', timestamp: '7' }]);
    expect(params).toEqual([{ key: 'empty' }, { key: 'zero', value: '0' }]);
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
    expect((await withRules({ badRequestForAll: true }, bad)).error_code).toBe('BAD_REQUEST');
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

/** Three runs that were made in MLflow: `a` has what terms ask for, `b` has less, `c` nothing. */
async function threeRuns() {
  const { id, number } = await newExperiment();
  const make = (start_time: number, more: object) =>
    createRun(mlflowUrl, { experiment_id: number, start_time, ...more }).then(toRunGuid);
  const [a, b, c] = [
    await make(3_000, { user_id: 'ada', run_name: 'first' }),
    await make(2_000, { user_id: 'Bob', run_name: 'second' }),
    await make(1_000, { user_id: 'ada' }),
  ];
  const log = (run: string, batch: object) => post(mlflowUrl, 'runs/log-batch', { run_id: toRunHex(run), ...batch });
  const metric = (key: string, value: number | string, step = 0) => ({ key, value, timestamp: 1, step });
  await log(a, {
    metrics: [metric('acc', 0.1), metric('acc', 0.9, 1), metric('odd', 'NaN')],
    params: [{ key: 'opt', value: 'Adam' }],
    tags: [{ key: 'kind', value: 'one' }],
  });
  await log(b, {
    metrics: [metric('acc', 0.5)],
    params: [{ key: 'opt', value: 'sgd' }],
    tags: [{ key: 'kind', value: 'two' }],
  });
  await post(mlflowUrl, 'runs/update', { run_id: toRunHex(a), status: 'FINISHED', end_time: 3_400 });
  await post(mlflowUrl, 'runs/update', { run_id: toRunHex(b), status: 'FAILED', end_time: 2_100 });
  return { id, number, a, b, c };
}

describe('a search of runs', () => {
  let runs: Awaited<ReturnType<typeof threeRuns>>;
  beforeAll(async () => {
    runs = await threeRuns();
  });

  /** The letters of what is found, in order; or the status and text of what is refused. */
  async function find(more: object, rules: Partial<Rules> = {}): Promise<string> {
    const answer = await withRules(rules, () => search(runs.id, more));
    if (answer.status !== 200) return `${answer.status} ${answer.body.Error.Message}`;
    const letters = new Map([runs.a, runs.b, runs.c].map((id, at) => [id, 'abc'[at]]));
    return idsOf(answer)
      .map((id) => letters.get(id))
      .join('');
  }
  const filtered = (filter: string, rules?: Partial<Rules>) => find({ filter }, rules);

  describe('filters', () => {
    it.each([
      ['', 'abc'],
      ['metrics.acc > 0.4', 'ab'],
      ['metrics.acc = 0.9 AND metrics.acc != 5e-1', 'a'],
      ['metrics.acc <= 0.9 and metrics.acc >= .9', 'a'],
      ['metrics.acc < 0.4', ''],
      ['metrics.odd != 0', 'a'],
      ['metrics.odd < 1', ''],
      ["params.opt = 'Adam'", 'a'],
      ['params.opt = "sgd"', 'b'],
      ["params.opt != 'Adam'", 'b'],
      ["params.opt LIKE 'A%m'", 'a'],
      ["params.opt LIKE 'a%m'", ''],
      ["params.opt ilike 'a_am'", 'a'],
      ["tags.kind = 'two'", 'b'],
      ["tags.`kind` = 'two'", 'b'],
      ["tags.mlflow.runName = 'first'", 'a'],
      ["attributes.status = 'Finished'", 'a'],
      ["attributes.status != 'Finished'", 'bc'],
      ["attributes.user_id = 'ada'", 'ac'],
      ["attributes.duration > '100'", 'a'],
      ["attributes.duration >= '100'", 'ab'],
      ["attributes.creation_time > '1000'", 'ab'],
    ])('%s', async (filter, found) => expect(await filtered(filter)).toBe(found));

    it('by run id', async () => expect(await filtered(`attributes.run_id IN ('${runs.c}', '${runs.a}')`)).toBe('ac'));

    it('which all must be met', async () => {
      const all = "metrics.acc > 0.4 AND params.opt = 'Adam' AND attributes.user_id = 'ada' AND tags.kind = 'one'";
      expect(await filtered(all)).toBe('a');
    });

    it.each([
      'metrics.acc',
      'metrics.acc >',
      'metrics.acc > 0.4 metrics.acc < 1',
      '(metrics.acc > 0.4)',
      'metrics.acc > 0.4 AND',
      'AND metrics.acc > 0.4',
      "metrics.acc > '0.4'",
      "metrics.acc LIKE '0%'",
      'metrics.val-loss > 0',
      'metrics.acc == 1',
      'metrics.acc > 1e+2',
      'params.opt = Adam',
      'params.opt = 1',
      "params.opt > 'a'",
      "params.opt = 'it''s'",
      "params.opt = 'open",
      "attributes.status IN ('Finished')",
      "attributes.duration > 'long'",
      "attributes.no_such_key = 'x'",
      "nothing.x = 'y'",
    ])('refuses %s', async (filter) => expect(await filtered(filter)).toMatch(/^400 /));

    const or = "tags.kind = 'one' OR tags.kind = 'two'";
    const noOr = `400 Currently unsupported filter string format (we currently do not support OR). Provided filter string: ${or}`;
    it.each<[keyof Rules, string, string, string]>([
      ['orRefused', or, noOr, 'ab'],
      ['tagNotEqualRefused', "tags.kind != 'one'", "400 Operator '!=' not supported for key type 'Tag'.", 'b'],
      ['tagLikeRefused', "tags.kind LIKE 'o%'", "400 Operator 'LIKE' not supported for key type 'Tag'.", 'a'],
      ['quotedMetricKeysRefused', 'metrics.`acc` > 0.4', "400 Metric key 'acc' must not be quoted.", 'ab'],
      ['quotedMetricKeysRefused', 'metrics."acc" > 0.4', "400 Metric key 'acc' must not be quoted.", 'ab'],
      ['documentedEntitiesOnly', 'metric.acc > 0.4', "400 Invalid key type 'metric' of 'acc'", 'ab'],
      ['documentedEntitiesOnly', "status = 'Failed'", "400 Invalid key type '' of 'status'", 'b'],
      ['unquotedAttributesRefused', 'attributes.duration > 100', '400 Expected a quoted string value', 'a'],
      ['documentedAttributesOnly', "attributes.start_time > '1000'", "400 Invalid attribute key 'start_time'", 'ab'],
      ['documentedAttributesOnly', "attributes.end_time < '3000'", "400 Invalid attribute key 'end_time'", 'b'],
      ['documentedAttributesOnly', "attributes.run_name = 'first'", "400 Invalid attribute key 'run_name'", 'a'],
      ['datasetsRefused', "datasets.name = 'x'", "400 Key type 'datasets' is not supported", ''],
      ['nullTestsRefused', 'params.opt IS NULL', "400 Operator 'IS NULL' not supported for key type 'Parameter'.", 'c'],
      [
        'nullTestsRefused',
        'tags.kind is not null',
        "400 Operator 'IS NOT NULL' not supported for key type 'Tag'.",
        'ab',
      ],
    ])('%s: %s', async (rule, filter, refused, found) => {
      expect((await filtered(filter)).slice(0, refused.length)).toBe(refused);
      expect(await filtered(filter, { [rule]: false })).toBe(found);
    });

    it('with other comparators of run_id than IN, and NOT IN, only when allowed', async () => {
      const [equal, notIn] = [`attributes.run_id = '${runs.a}'`, `attributes.run_id NOT IN ('${runs.a}')`];
      expect(await filtered(equal)).toBe("400 Operator '=' not supported for key type 'Attribute'.");
      expect(await filtered(equal, { runIdOnlyIn: false })).toBe('a');
      expect(await filtered(notIn)).toBe("400 Operator 'NOT IN' not supported for key type 'Attribute'.");
      expect(await filtered(notIn, { notInRefused: false })).toBe('bc');
    });

    it.each<[keyof Rules, string, string, string]>([
      ['likeRefused', "params.opt LIKE 'A%'", 'a', "400 Operator 'LIKE' not supported for key type 'Parameter'."],
      [
        'likeRefused',
        "attributes.user_id LIKE 'a%'",
        'ac',
        "400 Operator 'LIKE' not supported for key type 'Attribute'.",
      ],
      ['quotedKeysRefused', "params.`opt` = 'Adam'", 'a', "400 Key 'opt' must not be quoted."],
      ['doubleQuotedValuesRefused', 'params.opt = "Adam"', 'a', "400 The value of 'opt' must be in single quotes."],
      [
        'statusFilterRefused',
        "attributes.status = 'Failed'",
        'b',
        "400 Filtering on attribute 'status' is not supported.",
      ],
      ['upperCaseStatus', "attributes.status = 'FINISHED'", '', 'a'],
      ['upperCaseStatus', "attributes.status != 'FINISHED'", 'abc', 'bc'],
      ['creationTimeInSeconds', "attributes.creation_time = '3'", '', 'a'],
      ['equalityIgnoresCase', "params.opt = 'ADAM'", '', 'a'],
      ['equalityIgnoresCase', "params.opt != 'ADAM'", 'ab', 'b'],
      ['likeIgnoresCase', "params.opt LIKE 'ADAM'", '', 'a'],
      ['notEqualFindsAbsent', "params.opt != 'Adam'", 'b', 'bc'],
      ['notEqualFindsAbsent', 'metrics.acc != 0.5', 'a', 'ac'],
    ])('%s, off at first: %s', async (rule, filter, before, after) => {
      expect(await filtered(filter)).toBe(before);
      expect(await filtered(filter, { [rule]: true })).toBe(after);
    });

    it('know the names of states in MLflow only without theirs', async () => {
      const names = { statusNames: false };
      expect(await filtered("attributes.status = 'FINISHED'", names)).toBe('a');
      expect(await filtered("attributes.status = 'Finished'", names)).toBe('');
    });

    it('match users by the name that is shown, or by the id of the answers', async () => {
      const { run } = (await ask(`runs/get?run_id=${runs.a}`)).body;
      expect(isGuid(run.info.user_id)).toBe(true);
      const filter = `attributes.user_id = '${run.info.user_id}'`;
      expect(await filtered(filter)).toBe('');
      expect(await filtered(filter, { userIsDisplayName: false })).toBe('ac');
    });

    it('know datasets when they may', async () => {
      const { id, number } = await newExperiment();
      const hex = await createRun(mlflowUrl, { experiment_id: number, start_time: 1 });
      const dataset = { name: 'mnist', digest: 'd1', source_type: 'x', source: 'y' };
      const tags = [{ key: 'mlflow.data.context', value: 'train' }];
      await post(mlflowUrl, 'runs/log-inputs', { run_id: hex, datasets: [{ dataset, tags }] });
      const filter = "datasets.name = 'mnist' AND dataset.context = 'train' AND dataset.digest != 'd2'";
      const off = { datasetsRefused: false, documentedEntitiesOnly: false };
      expect(idsOf(await withRules(off, () => search(id, { filter })))).toEqual([toRunGuid(hex)]);
    });
  });

  it('gives the last value of each metric', async () => {
    const { runs: found } = (await search(runs.id, { filter: "tags.kind = 'one'" })).body;
    const { metrics } = found[0].data;
    expect(metrics).toContainEqual({ key: 'acc', value: 0.9, timestamp: '1', step: '1' });
    expect(metrics).toHaveLength(2);
  });

  describe('orders', () => {
    it.each([
      [[], 'abc'],
      [['attributes.start_time ASC'], 'cba'],
      [['attributes.start_time'], 'cba'],
      [['attributes.duration DESC'], 'abc'],
      [['attributes.duration ASC'], 'bac'],
      [['attributes.user_id asc', 'attributes.start_time'], 'bca'],
      [['attributes.status', 'attributes.start_time DESC'], 'bac'],
    ])('%j', async (order_by, found) => expect(await find({ order_by })).toBe(found));

    it.each([
      'start_time DESC',
      'metrics.acc',
      'params.opt DESC',
      'tags.kind',
      'attributes.nothing',
      'attributes.status UP',
      '',
    ])('refuses %s', async (clause) => expect(await find({ order_by: [clause] })).toMatch(/^400 Invalid order/));

    it('knows only the documented attributes, if so told', async () => {
      const order_by = ['attributes.end_time DESC'];
      expect(await find({ order_by })).toBe('abc');
      expect(await find({ order_by }, { documentedOrderOnly: true })).toMatch(/^400 Invalid ordering key/);
      const documented = ['attributes.duration ASC', 'attributes.start_time DESC'];
      expect(await find({ order_by: documented }, { documentedOrderOnly: true })).toBe('bac');
    });

    it('ignores what it cannot, or can', async () => {
      const order_by = ['metrics.acc ASC'];
      expect(await find({ order_by }, { otherOrderIgnored: true })).toBe('abc');
      expect(await find({ order_by }, { orderByAttributesOnly: false })).toBe('bac');
    });

    it('has ties and, without newestFirst, all in another order each time', async () => {
      const { id, number } = await newExperiment();
      for (let i = 0; i < 8; i++) await createRun(mlflowUrl, { experiment_id: number, start_time: 7 });
      const orders = async (rules: Partial<Rules>) => {
        const seen = new Set<string>();
        for (let i = 0; i < 4; i++) seen.add(idsOf(await withRules(rules, () => search(id))).join());
        return seen;
      };
      expect((await orders({})).size).toBeGreaterThan(1);
      const fixed = await orders({ randomTies: false });
      expect(fixed.size).toBe(1);
      expect([...fixed].join()).toBe([...fixed].join().split(',').toSorted().join());
      expect((await orders({ randomTies: false, newestFirst: false })).size).toBeGreaterThan(1);
    });
  });

  describe('pages', () => {
    /** Every page of a search, by its tokens. */
    async function pagesOf(experiment: string, more: object): Promise<string[][]> {
      const pages: string[][] = [];
      for (let page_token: string | undefined = ''; page_token !== undefined; ) {
        const answer: Got = await search(experiment, { ...more, page_token });
        expect(answer.status).toBe(200);
        pages.push(idsOf(answer));
        page_token = answer.body.next_page_token;
      }
      return pages;
    }

    it('are of one order, and end without a token', async () => {
      const { id, number } = await newExperiment();
      const made = [];
      for (let i = 0; i < 7; i++)
        made.push(toRunGuid(await createRun(mlflowUrl, { experiment_id: number, start_time: 7 })));
      const pages = await pagesOf(id, { max_results: 3 });
      expect(pages.map(({ length }) => length)).toEqual([3, 3, 1]);
      expect(pages.flat().toSorted()).toEqual(made.toSorted());
      expect(await pagesOf(id, { max_results: 7 })).toHaveLength(1);
    });

    it('are shorter than asked for, or empty, when the rules say so', async () => {
      const short = await withRules({ shortPages: true }, () => pagesOf(runs.id, { max_results: 2 }));
      expect(short.flat()).toEqual([runs.a, runs.b, runs.c]);
      expect(short.every((page) => page.length > 0)).toBe(true);
      const empty = await withRules({ emptyPages: true }, () => pagesOf(runs.id, { max_results: 2 }));
      expect(empty.flat()).toEqual([runs.a, runs.b, runs.c]);
    });

    it('belong to their search', async () => {
      const { next_page_token: page_token } = (await search(runs.id, { max_results: 1 })).body;
      expect(typeof page_token).toBe('string');
      const others = [
        { max_results: 1, page_token, filter: 'metrics.acc > 0' },
        { max_results: 1, page_token, order_by: ['attributes.start_time ASC'] },
        { max_results: 1, page_token: `${page_token}x` },
      ];
      for (const other of others) expect((await search(runs.id, other)).status).toBe(400);
      const unbound = await withRules({ boundTokens: false }, () => search(runs.id, others[0]));
      expect(idsOf(unbound)).toEqual([runs.b]);
      expect(idsOf(await search(runs.id, { max_results: 2, page_token }))).toEqual([runs.b, runs.c]);
    });

    it.each([0, -1, 1.5, 'many'])('are not of %s runs', async (max_results) =>
      expect((await search(runs.id, { max_results })).status).toBe(400),
    );

    it('have 1000 runs at most', () => {
      const ids = Array.from({ length: 1_001 }, (_, at) => `${at}`);
      const cut = (rules: Partial<Rules>, asked: number | undefined) =>
        new PageTokens(withDefaults(rules), 60_000, Math.random).cut(ids, asked, 'search');
      expect(cut({}, 5_000).ids).toHaveLength(1_000);
      expect(cut({}, undefined).ids).toHaveLength(1_000);
      expect(cut({}, 5_000).nextToken).toBeDefined();
      expect(cut({ pageCap: false }, 5_000)).toEqual({ ids, nextToken: undefined });
    });

    it('are not given for ever', () => {
      const tokens = new PageTokens(withDefaults(), -1, Math.random);
      const { nextToken = '' } = tokens.cut(['a', 'b'], 1, 'search');
      expect(() => tokens.idsAfter(nextToken, 'search')).toThrow('invalid or has expired');
    });
  });

  it('is of experiments that are there', async () => {
    const unknown = '01234567-89ab-cdef-0123-456789abcdef';
    const both = { experiment_ids: [runs.id, unknown] };
    expect((await search(runs.id, both)).body.error_code).toBe('RESOURCE_DOES_NOT_EXIST');
    const kept = await withRules({ unknownExperimentsRefused: false }, () => search(runs.id, both));
    expect(idsOf(kept)).toEqual([runs.a, runs.b, runs.c]);
    expect((await search(runs.id, { experiment_ids: [] })).text).toBe('{ }');
  });
});

describe('the history of a metric', () => {
  it('comes in pages of less than 1000', async () => {
    const { id, number } = await newExperiment();
    const hex = await createRun(mlflowUrl, { experiment_id: number });
    const metrics = Array.from({ length: 5 }, (_, step) => ({ key: 'm', value: step / 2, timestamp: step, step }));
    await post(mlflowUrl, 'runs/log-batch', { run_id: hex, metrics });
    const path = `metrics/get-history?metric_key=m&run_id=${toRunGuid(hex)}`;
    const refused = await ask(`${path}&max_results=25000`);
    expect([refused.status, refused.body.error_code]).toEqual([400, 'BAD_REQUEST']);
    expect(refused.body.Error.Message).toBe('MaxResults = 25000 is invalid: MaxResults must be less than 1000.');
    expect((await withRules({ historyPageLimit: false }, () => ask(`${path}&max_results=25000`))).status).toBe(200);
    const first = (await ask(`${path}&max_results=3`)).body;
    expect(first.metrics[1]).toEqual({ key: 'm', value: 0.5, timestamp: '1', step: '1' });
    const rest = (await ask(`${path}&max_results=3&page_token=${first.next_page_token}`)).body;
    expect(rest.metrics.map(({ step }: { step: string }) => step)).toEqual(['3', '4']);
    expect(rest.next_page_token).toBeUndefined();
    expect(idsOf(await search(id))).toEqual([toRunGuid(hex)]);
  });
});

describe('a batch', () => {
  const points = (count: number) =>
    Array.from({ length: count }, (_, step) => ({ key: 'm', value: step, timestamp: 1, step }));
  const params = (count: number) => Array.from({ length: count }, (_, at) => ({ key: `p${at}`, value: 'x' }));

  it('of too much is refused, and nothing of it kept', async () => {
    const { id } = await newExperiment();
    const run_id = await newRun(id);
    const batch = (body: object) => ask('runs/log-batch', { body: { run_id, ...body } });
    const refused = await batch({ metrics: points(251), params: params(1) });
    expect(refused.status).toBe(400);
    expect(refused.body.Error).toMatchObject({
      Code: 'ValidationError',
      Message: 'A field of the entity is over the size limit. FieldName=MetricV2Dto.Value/Count, Limit=250, Size=251',
    });
    const dataNow = async () => (await ask(`runs/get?run_id=${run_id}`)).body.run.data;
    expect(await dataNow()).not.toHaveProperty('params');
    expect((await batch({ metrics: points(250), params: params(200) })).text).toBe('{ }');
    expect((await dataNow()).params).toHaveLength(200);
    const [one, another] = [
      await batch({ params: [{ key: 'q', value: '' }] }),
      await ask('runs/log-parameter', { body: { run_id, key: 'q', value: '' } }),
    ];
    for (const { body } of [one, another])
      expect(body.Error.Message).toContain('FieldName=Parameters, Limit=200, Size=201');
    const more = { metrics: points(251), params: [{ key: 'q', value: '' }] };
    expect((await withRules({ batchLimits: false }, () => batch(more))).status).toBe(200);
  });

  it('may have too many tags', async () => {
    const { id } = await newExperiment();
    const run_id = await newRun(id);
    const tags = Array.from({ length: 51 }, (_, at) => ({ key: `t${at}`, value: 'x' }));
    const long = { run_id, key: 'a', value: 'x'.repeat(1_001) };
    const limited = { tagLimits: true };
    const set = () => ask('runs/log-batch', { body: { run_id, tags } });
    expect((await withRules(limited, set)).status).toBe(400);
    expect((await withRules(limited, () => ask('runs/set-tag', { body: long }))).status).toBe(400);
    expect((await set()).status).toBe(200);
    expect((await ask('runs/set-tag', { body: long })).status).toBe(200);
  });

  it('may be written later', async () => {
    const { id } = await newExperiment();
    const run_id = await newRun(id);
    const place = `/mlflow/v2.0${standIn.scope}/api/2.0/preview/mlflow/`;
    const body = { run_id, metrics: points(2), params: params(1) };
    const log = () => ask('runs/log-batch-async', { body, place });
    const dataNow = async () => (await ask(`runs/get?run_id=${run_id}`)).body.run.data;
    expect((await log()).status).toBe(404);
    await withRules({ asyncBatches: true }, async () => {
      const { batch_tracking_id } = (await log()).body;
      const isComplete = async () =>
        (await ask(`runs/get-run-data-status?run_id=${run_id}&batch_tracking_id=${batch_tracking_id}`, { place })).body
          .is_complete;
      expect(await isComplete()).toBe(false);
      const before = await dataNow();
      expect(before.params).toHaveLength(1);
      expect(before).not.toHaveProperty('metrics');
      await expect.poll(isComplete, { timeout: 20_000 }).toBe(true);
      expect((await dataNow()).metrics).toHaveLength(1);
    });
  });
});

describe('inputs', () => {
  it('are taken, unless the workspace is not on the list', async () => {
    const { id } = await newExperiment();
    const run_id = await newRun(id);
    const datasets = [{ dataset: { name: 'd', digest: '1', source_type: 'x', source: 'y' } }];
    const log = () => ask('runs/log-inputs', { body: { run_id, datasets } });
    expect((await withRules({ logInputsRefused: true }, log)).status).toBe(400);
    expect((await log()).status).toBe(200);
  });
});

describe('experiments', () => {
  it('cannot be renamed', async () => {
    const { id } = await newExperiment();
    const rename = () => ask('experiments/update', { body: { experiment_id: id, new_name: uniqueName() } });
    expect((await rename()).status).toBe(400);
    expect((await withRules({ renameRefused: false }, rename)).status).toBe(200);
  });

  it('are archived, or kept when they have runs', async () => {
    const { id } = await newExperiment();
    await newRun(id);
    const remove = () => ask('experiments/delete', { body: { experiment_id: id } });
    const refused = await withRules({ fullExperimentsKept: true }, remove);
    expect(refused.body.Error.Message).toBe('Only empty Experiments can be deleted. This experiment contains run(s)');
    expect((await remove()).text).toBe('{ }');
    const found = async (view_type: string) =>
      (await ask('experiments/search', { body: { view_type, filter: `experiment_id IN ('${id}')` } })).body.experiments;
    expect(await found('ACTIVE_ONLY')).toBeUndefined();
    expect(await found('ALL')).toMatchObject([{ experiment_id: id, lifecycle_stage: 'deleted' }]);
    await ask('experiments/restore', { body: { experiment_id: id } });
    expect(await found('ACTIVE_ONLY')).toHaveLength(1);
  });

  it('with a slash in their names are created, and then not found', async () => {
    const name = `${uniqueName()}/x`;
    const { status, body } = await ask('experiments/create', { body: { name } });
    expect([status, isGuid(body.experiment_id)]).toEqual([200, true]);
    const byName = () => ask(`experiments/get-by-name?experiment_name=${encodeURIComponent(name)}`);
    const searched = async () => (await ask('experiments/search', { body: { filter: `name = '${name}'` } })).text;
    expect([(await byName()).status, await searched()]).toEqual([404, '{ }']);
    const seen = { slashHides: false };
    expect((await withRules(seen, byName)).body.experiment.experiment_id).toBe(body.experiment_id);
    expect(await withRules(seen, searched)).toContain(body.experiment_id);
  });

  describe('are searched', () => {
    const name = uniqueName();
    let id: string;
    beforeAll(async () => {
      const tags = [{ key: 'team', value: name }];
      id = (await ask('experiments/create', { body: { name, tags } })).body.experiment_id;
    });
    const find = async (filter: string, rules: Partial<Rules> = {}) => {
      const answer = await withRules(rules, () => ask('experiments/search', { body: { filter } }));
      if (answer.status !== 200) return answer.status;
      return (answer.body.experiments ?? []).map(({ experiment_id }: { experiment_id: string }) => experiment_id);
    };

    it('by name, id, tag and time', async () => {
      expect(await find(`name = '${name}'`)).toEqual([id]);
      expect(await find(`tags.team = '${name}' AND creation_time > 1000`)).toEqual([id]);
      expect(await find(`experiment_id IN ('${id}', '${toExperimentGuid('0')}') AND name = '${name}'`)).toEqual([id]);
      expect(await find(`name = '${name}' AND creation_time < 1000`)).toEqual([]);
    });

    it('by nothing else, unless the rules say so', async () => {
      const any = { documentedExperimentTerms: false };
      for (const filter of [
        `name LIKE '${name}'`,
        `tags.team != 'x' AND name = '${name}'`,
        `experiment_id = '${id}'`,
      ]) {
        expect(await find(filter)).toBe(400);
        expect(await find(filter, any)).toEqual([id]);
      }
      for (const filter of ["creation_time > '1000'", "attributes.name = 'x'", "name = 'x' OR name = 'y'"])
        expect(await find(filter, any)).toBe(400);
    });

    it('in pages', async () => {
      const first = (await ask('experiments/search', { body: { max_results: 1 } })).body;
      const again = { max_results: 1, page_token: first.next_page_token };
      const second = (await ask('experiments/search', { body: again })).body;
      expect(first.experiments).toHaveLength(1);
      expect(second.experiments[0].experiment_id).not.toBe(first.experiments[0].experiment_id);
      expect(first.experiments[0].creation_time).toMatch(/^\d+$/);
    });

    it('and listed, on v1.0 alone', async () => {
      const place = `/mlflow/v1.0${standIn.scope}/api/2.0/mlflow/`;
      const { experiments } = (await ask('experiments/list', { place })).body;
      expect(experiments.map(({ experiment_id }: { experiment_id: string }) => experiment_id)).toContain(id);
    });
  });
});

describe('the registry', () => {
  it('searches by name alone', async () => {
    const name = uniqueName();
    await ask('registered-models/create', { body: { name } });
    const find = (filter: string) => ask(`registered-models/search?${new URLSearchParams({ filter })}`);
    expect((await find(`name = '${name}'`)).body.registered_models[0]).toMatchObject({
      name,
      creation_timestamp: expect.stringMatching(/^\d+$/),
    });
    const ofClients = "tag.`mlflow.prompt.is_prompt` != 'true'";
    for (const filter of [ofClients, `name LIKE '${name}'`, `name = '${name}' AND ${ofClients}`]) {
      expect((await find(filter)).body.Error.Message).toBe(
        `Currently unsupported filter string format (we currently do not support OR). Provided filter string: ${filter}`,
      );
      expect((await withRules({ modelFilters: false }, () => find(filter))).status).toBe(200);
    }
  });

  it('keeps its models, and their names', async () => {
    const name = uniqueName();
    await ask('registered-models/create', { body: { name } });
    const rename = () => ask('registered-models/rename', { body: { name, new_name: `${name}-2` } });
    const remove = () => ask('registered-models/delete', { method: 'DELETE', body: { name: `${name}-2` } });
    expect([(await rename()).status, (await remove()).status]).toEqual([400, 400]);
    expect((await withRules({ modelsKept: false }, rename)).status).toBe(200);
    expect((await withRules({ modelsKept: false }, remove)).status).toBe(200);
  });
});

describe('what MLflow 3 added', () => {
  it('is not there', async () => {
    const server = () => ask('server-info', { place: `/mlflow/v2.0${standIn.scope}/api/3.0/mlflow/` });
    const models = () => ask('logged-models/search', { body: { experiment_ids: ['0'] } });
    const traces = () => ask('traces?experiment_ids=0');
    const answers = [await server(), await models(), await traces()];
    expect(answers.map(({ status, text }) => [status, text])).toEqual([
      [404, ''],
      [404, ''],
      [403, ''],
    ]);
    const there = [];
    for (const call of [server, models, traces]) there.push((await withRules({ noMlflow3: false }, call)).status);
    expect(there).toEqual([200, 200, 200]);
  });
});

describe('artifacts', () => {
  it('are put and got by signed URLs, and listed', async () => {
    const { id } = await newExperiment();
    const run_id = await newRun(id);
    const place = `/history/v1.0${standIn.scope}/experiments/${id}/runs/${run_id}/`;
    const prepare = (paths: string[]) =>
      ask('artifacts/batch/metadata', { body: { paths: paths.map((path) => ({ path })) }, place });
    const contents = (await prepare(['a.txt', 'deep/b c.txt'])).body.artifactContentInformation;
    const put = (path: string, headers: Record<string, string>) =>
      fetch(contents[path].contentUri, { method: 'PUT', body: `in ${path}`, dispatcher: agent, headers }).then(
        ({ status }) => status,
      );
    const blob = { 'x-ms-blob-type': 'BlockBlob' };
    expect(await put('a.txt', {})).toBe(400);
    expect(await put('a.txt', { ...blob, authorization: `Bearer ${token}` })).toBe(403);
    expect([await put('a.txt', blob), await put('deep/b c.txt', blob), await put('a.txt', blob)]).toEqual([
      201, 201, 409,
    ]);
    expect(await withRules({ blobHeaders: false }, () => put('a.txt', {}))).toBe(201);
    const paths = async (path: string) =>
      (await ask(path, { place })).body.value.map((file: { path: string }) => file.path).toSorted();
    expect(await paths('artifacts')).toEqual(['a.txt', 'deep/b c.txt']);
    expect(await paths('artifacts/path?path=deep')).toEqual(['deep/b c.txt']);
    const { contentUri } = (await ask('artifacts/contentinfo?path=deep%2Fb%20c.txt', { place })).body;
    expect(new URL(contentUri).origin).not.toBe(standIn.url);
    expect(await (await fetch(contentUri, { dispatcher: agent })).text()).toBe('in deep/b c.txt');
    const missing = await ask('artifacts/contentinfo?path=none', { place });
    expect([missing.status, missing.body.componentName]).toEqual([404, 'run-history']);
    const many = Array.from({ length: 101 }, (_, at) => `f${at}`);
    expect((await prepare(many)).body.error.message).toBe('Artifact batch size exceeded the limit of 100');
    expect((await withRules({ artifactBatchLimit: false }, () => prepare(many))).status).toBe(200);
  });
});

describe('on demand', () => {
  const anything = 'experiments/get?experiment_id=0';

  it('the next requests fail so', async () => {
    standIn.failNext({ status: 429, retryAfter: 1, body: 'json' }, 2);
    standIn.failNext({ status: 530, body: 'html' });
    const answers = [await ask(anything), await ask(anything), await ask(anything), await ask(anything)];
    expect(answers.map(({ status }) => status)).toEqual([429, 429, 530, 200]);
    expect(answers[0]?.headers.get('retry-after')).toBe('1');
    expect(answers[0]?.body.Error.Code).toBe('ServiceError');
    expect(answers[2]?.text).toContain('<html>');
  });

  it('a write is done and answered by a failure', async () => {
    const { id } = await newExperiment();
    standIn.failNext({ status: 503, applied: true, only: ({ path }) => path.endsWith('runs/create') });
    expect((await ask(anything)).status).toBe(200);
    const { status, text } = await ask('runs/create', { body: { experiment_id: id, start_time: 1 } });
    expect([status, text]).toEqual([503, '']);
    expect(idsOf(await search(id))).toHaveLength(1);
  });

  it('an answer is cut, or late', async () => {
    standIn.failNext({ cut: true });
    await expect(ask(anything)).rejects.toThrow();
    standIn.failNext({ delayMs: 300 });
    const started = performance.now();
    expect((await ask(anything)).status).toBe(200);
    expect(performance.now() - started).toBeGreaterThan(290);
  });
});

describe('hosts and ports', () => {
  it('a private workspace has a host of its own', async () => {
    const path = `/mlflow/v2.0${standIn.scope}/api/2.0/mlflow/experiments/get?experiment_id=0`;
    const by = async (host: string) => {
      // Its certificate is of this machine alone.
      const tls = { ca: standIn.ca, servername: 'localhost', agent: false };
      const sent = get(`${standIn.url}${path}`, { ...tls, headers: { host, authorization: `Bearer ${token}` } });
      const [answer] = (await once(sent, 'response')) as [IncomingMessage];
      return { status: answer.statusCode, text: await text(answer) };
    };
    const ofItsOwn = `${toExperimentGuid('1')}.workspace.westeurope.api.azureml.ms`;
    expect((await by('westeurope.api.azureml.ms')).status).toBe(200);
    await withRules({ privateHost: true }, async () => {
      expect((await by(ofItsOwn)).status).toBe(200);
      const { status, text } = await by('westeurope.api.azureml.ms');
      expect(status).toBe(500);
      expect(text).toContain('Access to workspace was denied based on workspace private link configuration.');
    });
  });

  it('tokens are not taken without TLS', async () => {
    expect(standIn.httpUrl).toBeUndefined();
    const other = await startAzureMlStandIn({ upstream: mlflowUrl, rules: { httpPort: true } });
    try {
      const path = `${other.httpUrl}/mlflow/v2.0${other.scope}/api/2.0/mlflow/experiments/get?experiment_id=0`;
      const headers = { authorization: `Bearer ${other.issueToken()}` };
      expect([(await fetch(path, { headers })).status, (await fetch(path)).status]).toEqual([403, 401]);
    } finally {
      await other.stop();
    }
  });

  it('what was received is kept', async () => {
    standIn.requests.length = 0;
    await ask('runs/set-tag', { body: { run_id: 'x', key: 'a' }, headers: { 'x-y': 'z' } });
    const path = `/mlflow/v2.0${standIn.scope}/api/2.0/mlflow/runs/set-tag`;
    expect(standIn.requests).toMatchObject([
      { method: 'POST', path, headers: { 'x-y': 'z' }, body: { run_id: 'x', key: 'a' } },
    ]);
    expect(standIn.trackingUri).toBe(`${standIn.url.replace('https', 'azureml')}/mlflow/v1.0${standIn.scope}`);
  });
});
