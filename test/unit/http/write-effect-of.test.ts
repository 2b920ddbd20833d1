import { describe, expect, it } from 'vitest';
import { writeEffectOf } from '../../../src/http/write-effect-of.ts';
import { type WriteKind, writeKind } from '../../../src/http/write-table.ts';

const RUN = 'a1'.repeat(16);

describe('writeKind', () => {
  it.each<[string, string, WriteKind]>([
    ['POST', '/api/2.0/mlflow/runs/create', 'create-run'],
    ['POST', '/ajax-api/2.0/mlflow/runs/log-batch', 'run'],
    ['POST', '/api/2.0/mlflow/runs/outputs', 'run'],
    ['POST', '/api/2.0/mlflow/runs/update', 'run-with-end'],
    ['POST', '/ajax-api/2.0/mlflow/runs/create-promptlab-run', 'create-run-in-steps'],
    ['POST', '/api/2.0/mlflow/experiments/create', 'create-experiment'],
    ['POST', '/api/2.0/mlflow/experiments/restore', 'experiment-with-runs'],
    ['POST', '/api/2.0/mlflow/experiments/set-experiment-tag', 'experiment'],
    ['POST', '/api/3.0/mlflow/prompt-optimization/jobs', 'anything-later'],
    ['POST', '/api/3.0/mlflow/prompt-optimization/jobs/7/cancel', 'anything-later'],
    ['DELETE', '/ajax-api/3.0/mlflow/prompt-optimization/jobs/7', 'anything-later'],
    ['POST', '/ajax-api/3.0/mlflow/issues/invoke', 'anything-later'],
    ['POST', '/ajax-api/3.0/mlflow/genai/evaluate/invoke', 'anything-later'],
    ['POST', '/ajax-api/3.0/mlflow/scorer/invoke', 'anything-later'],
    ['POST', '/ajax-api/3.0/jobs/', 'anything-later'],
    ['PATCH', '/ajax-api/3.0/jobs/cancel/7', 'anything-later'],
    ['PATCH', '/ajax-api/3.0/mlflow/jobs/cancel/7', 'anything-later'],
    ['POST', '/ajax-api/3.0/mlflow/demo/generate', 'anything'],
    ['DELETE', '/api/3.0/mlflow/workspaces/team', 'anything'],
    // Spellings that a server or a proxy before it may take for the same.
    ['POST', '/api/2.0/mlflow/runs/log%2Dmetric', 'run'],
    ['POST', '/api/2.0/mlflow%2Fruns%2Flog-metric', 'run'],
    ['POST', '//api/2.0//mlflow/runs/log-metric', 'run'],
    ['POST', '/api/2.0/mlflow/runs/log-metric/', 'run'],
    // What a proxy before MLflow may resolve or strip.
    ...[
      '/mlflow/api/2.0/mlflow/runs/log-metric',
      '/mlflow/ajax-api/2.0/mlflow/runs/set-tag',
      '/x/../api/2.0/mlflow/runs/log-metric',
      '/gateway/..%2fapi/2.0/mlflow/runs/log-metric',
      '/gateway/%252e%252e/api/2.0/mlflow/runs/log-metric',
      '/api\\2.0\\mlflow\\runs\\log-metric',
      '/api%5c2.0/mlflow/runs/log-metric',
      '/api/./2.0/mlflow/./runs/log-metric',
      '/api;a=b/2.0/mlflow/runs/log-metric;c',
      '/api/2.0/mlflow/runs/log-metric#x',
      '/api/2.0/mlflow/runs/log-metric%3fx',
      '/api/2.0/mlflow/runs/log-metric/x/..',
      '/api/2.0/mlflow/runs%20/log-metric%00',
      '/API/2.0/MLflow/Runs/Log-Metric',
      '/api/2.0/%70review/mlflow/runs/log-metric',
      '/api/2.0/mlflow-artifacts/artifacts/../../mlflow/runs/log-metric',
    ].map((path): [string, string, WriteKind] => ['POST', path, 'anything']),
    // Writes of a later MLflow.
    ['POST', '/api/2.0/mlflow/runs/log-something-new', 'anything'],
    ['PATCH', '/api/4.0/mlflow/runs/abc', 'anything'],
    ['DELETE', '/api/3.0/mlflow/experiments/7', 'anything'],
    ['POST', '/api/2.0/mlflow/runs/toString', 'anything'],
  ])('%s %s is a write of kind %s', (method, path, kind) => expect(writeKind(method, path)).toBe(kind));

  it.each([
    ['GET', '/api/2.0/mlflow/runs/create'],
    ['HEAD', '/api/2.0/mlflow/runs/create'],
    ['OPTIONS', '/api/2.0/mlflow/runs/create'],
    ['POST', '/api/2.0/mlflow/runs/search'],
    ['POST', '/ajax-api/2.0/mlflow/experiments/search-datasets'],
    ['POST', '/api/2.0/mlflow/registered-models/create'],
    ['POST', '/api/2.0/mlflow/logged-models'],
    ['POST', '/api/3.0/mlflow/traces'],
    ['POST', '/api/3.0/mlflow/prompt-optimization/jobs/search'],
    ['GET', '/api/3.0/mlflow/prompt-optimization/jobs/7'],
    ['POST', '/ajax-api/3.0/jobs/search'],
    ['POST', '/v1/traces'],
    ['POST', '/graphql'],
    ['PUT', '/api/2.0/mlflow-artifacts/artifacts/1/runs/create'],
    ['PUT', '/api/2.0/mlflow-artifacts/artifacts/1/a/artifacts/my%20file%231;v2.txt'],
    ['POST', '/mlflow/api/2.0/mlflow/runs/search'],
    ['GET', '/x/../api/2.0/mlflow/runs/create'],
    ['POST', '/gateway/mlflow/v1/chat/completions'],
  ])('%s %s is none', (method, path) => expect(writeKind(method, path)).toBeUndefined());
});

describe('writeEffectOf', () => {
  const OK = { status: 200, body: Buffer.from('{}') };
  const error = (status: number, code: string, message = '') => ({
    status,
    body: Buffer.from(JSON.stringify({ error_code: code, message })),
  });
  const MISSING = error(
    400,
    'INVALID_PARAMETER_VALUE',
    "Missing value for required parameter 'run_id'. See the API docs.",
  );
  const BAD = error(400, 'INVALID_PARAMETER_VALUE', 'Changing param values is not allowed.');
  const body = (json: unknown) => Buffer.from(typeof json === 'string' ? json : JSON.stringify(json));
  const effectOf = (kind: WriteKind, request: unknown, answer?: { status: number; body: Buffer }) =>
    writeEffectOf(kind, request === undefined ? undefined : body(request))(answer);

  it.each([
    [{ run_id: RUN }],
    [{ run_uuid: RUN }],
    [{ runId: RUN }],
    [{ runUuid: RUN }],
    [`{"run_id":"${RUN}","value":NaN}`],
    [JSON.stringify(JSON.stringify({ run_id: RUN }))],
  ])('finds the run in %j', (request) => {
    expect(effectOf('run', request, OK)).toMatchObject({ runs: [{ runId: RUN }], unknown: false, uncertain: false });
  });

  it('names every id of a body that has several', () => {
    const effect = effectOf('run', { run_id: RUN, run_uuid: 'b2'.repeat(16) }, OK);
    expect(effect?.runs.map(({ runId }) => runId)).toEqual([RUN, 'b2'.repeat(16)]);
  });

  it('names the run in lower case too, as MySQL would find it', () => {
    expect(effectOf('run', { run_id: RUN.toUpperCase() }, OK)?.runs).toEqual([
      { runId: RUN.toUpperCase() },
      { runId: RUN },
    ]);
  });

  it('marks the run after a failure too: a batch may have been written in part', () => {
    expect(effectOf('run', { run_id: RUN }, BAD)?.runs).toEqual([{ runId: RUN }]);
    expect(effectOf('run', { run_id: RUN }, { status: 500, body: Buffer.from('<html>') })?.runs).toEqual([
      { runId: RUN },
    ]);
  });

  it('says that it is not known yet what came of a write without an answer', () => {
    expect(effectOf('run', { run_id: RUN })).toMatchObject({ runs: [{ runId: RUN }], uncertain: true });
  });

  describe('of an end', () => {
    const UPDATED = { status: 200, body: body({ run_info: { run_id: RUN, experiment_id: '7' } }) };

    it.each([0, '0', 0.5, -0, '٠', '0_0', '', false, '1_0'])(
      'at %j may change what no reading of the run tells',
      (end) => {
        for (const key of ['end_time', 'endTime']) {
          const effect = effectOf('run-with-end', { run_id: RUN, [key]: end }, UPDATED);
          expect(effect).toMatchObject({ runs: [{ runId: RUN }], experimentsWithChangedRuns: ['7'], unknown: false });
        }
      },
    );

    it.each([1, -1, '1700000000000', 9e18, null, undefined])('at %j changes the run alone', (end_time) => {
      const effect = effectOf('run-with-end', { run_id: RUN, end_time }, UPDATED);
      expect(effect).toMatchObject({ runs: [{ runId: RUN }], experimentsWithChangedRuns: [], unknown: false });
    });

    it('at 0 that was refused changed nothing else', () => {
      expect(effectOf('run-with-end', { run_id: RUN, end_time: 0 }, BAD)).toMatchObject({
        experimentsWithChangedRuns: [],
        unknown: false,
      });
    });

    it('at 0 may be anywhere when the answer does not tell', () => {
      const failed = { status: 500, body: Buffer.from('<html>') };
      expect(effectOf('run-with-end', { run_id: RUN, end_time: 0 }, failed)?.unknown).toBe(true);
      expect(effectOf('run-with-end', { run_id: RUN, end_time: 0 })).toMatchObject({ unknown: true, uncertain: true });
    });
  });

  it.each<[string, WriteKind, unknown, { status: number; body: Buffer }]>([
    ['no run was named', 'run', {}, MISSING],
    ['no run was named, and MLflow said so otherwise', 'run', { run_id: 5 }, BAD],
    ['the run does not exist', 'run', { run_id: RUN }, error(404, 'RESOURCE_DOES_NOT_EXIST')],
    ['the caller may not', 'run', { run_id: RUN }, { status: 401, body: Buffer.from('') }],
    ['the caller is sent elsewhere', 'create-run', {}, { status: 308, body: Buffer.from('<html>') }],
    ['the method is wrong', 'anything', {}, { status: 405, body: Buffer.from('<html>') }],
    ['there is no such route', 'anything', {}, { status: 404, body: Buffer.from('<html>') }],
    ['creating was refused', 'create-run', { experiment_id: '1' }, error(400, 'BAD_REQUEST')],
    ['the name was taken', 'create-experiment', { name: 'x' }, error(400, 'RESOURCE_ALREADY_EXISTS')],
  ])('finds no effect when %s', (_, kind, request, answer) => {
    expect(effectOf(kind, request, answer)).toBeUndefined();
  });

  it.each<[string, WriteKind, unknown, { status: number; body: Buffer } | undefined]>([
    ['the body was not read', 'run', undefined, OK],
    ['the id is of an odd kind', 'run', { run_id: 'é' }, OK],
    ['MLflow took a body in which we see no run', 'run', {}, OK],
    ['the body is in an encoding that Python guesses', 'run', '{\0', BAD],
    ['the experiment is written as Python alone reads it', 'experiment-with-runs', { experiment_id: '1_0' }, OK],
    ['a job failed after its first step', 'anything-later', {}, error(404, 'RESOURCE_DOES_NOT_EXIST')],
    ['a run may have been created in an experiment we cannot tell', 'create-run', {}, undefined],
  ])('says so when it cannot tell: %s', (_, kind, request, answer) => {
    expect(effectOf(kind, request, answer)?.unknown).toBe(true);
  });

  it('takes a new run and its experiment from the answer', () => {
    const answer = { status: 200, body: body({ run: { info: { run_id: RUN, experiment_id: '7' } } }) };
    expect(effectOf('create-run', { experiment_id: '7' }, answer)?.runs).toEqual([{ runId: RUN, experimentId: '7' }]);
  });

  it.each<[string, WriteKind, { status: number; body: Buffer } | undefined]>([
    ['failed', 'create-run', { status: 500, body: Buffer.from('') }],
    ['was lost', 'create-run', undefined],
    ['was refused half-way', 'create-run-in-steps', BAD],
  ])('suspects every run of the experiment when the answer to a creation %s', (_, kind, answer) => {
    expect(effectOf(kind, { experiment_id: '007' }, answer)).toMatchObject({
      experimentsWithChangedRuns: ['7'],
      uncertain: answer === undefined,
    });
  });

  it('takes a new experiment from the answer', () => {
    const answer = { status: 200, body: body({ experiment_id: '8' }) };
    expect(effectOf('create-experiment', { name: 'x' }, answer)).toMatchObject({
      createdExperiments: ['8'],
      experimentsChanged: true,
    });
  });

  it('counts every run of an experiment that was deleted or restored', () => {
    expect(effectOf('experiment-with-runs', { experiment_id: '7' }, OK)).toMatchObject({
      experimentsWithChangedRuns: ['7'],
      experimentsChanged: true,
      unknown: false,
    });
  });

  it('knows that a job goes on writing after its answer', () => {
    expect(effectOf('anything-later', {}, OK)).toMatchObject({ unknown: true, uncertain: true });
    expect(effectOf('anything', {}, OK)).toMatchObject({ unknown: true, uncertain: false });
  });
});
