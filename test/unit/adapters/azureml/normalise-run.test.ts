import { describe, expect, it } from 'vitest';
import { normaliseRun, splitAzureRuns } from '../../../../adapters/azureml/normalise-run.ts';
import { decodeRun } from '../../../../src/domain/run-text.ts';

const ID = '8eb3e4f8-0000-4000-8000-000000000001';

/** As recorded from the real service, ids apart. */
const CREATED = `{"run":{"info":{"run_uuid":"${ID}","experiment_id":"41039c7f-0000-4000-8000-000000000002","run_name":"test",
  "user_id":"fe10da54-0000-4000-8000-000000000003","status":"RUNNING","start_time":"1730433600000",
  "artifact_uri":"azureml://eastus2.api.azureml.ms/a","lifecycle_stage":"active","run_id":"${ID}"},
 "data":{"tags":[{"key":"mlflow.user","value":"azure-ai-evaluation"},{"key":"mlflow.rootRunId","value":"${ID}"},
  {"key":"mlflow.runName","value":"test"},{"key":"mlflow.user","value":"First Last"}]},"inputs":{}}}`;

const run = (fields: { info?: object; data?: object; inputs?: object } = {}) =>
  JSON.stringify({ ...fields, info: { run_id: ID, ...fields.info } });
const normalised = (fields?: Parameters<typeof run>[0]) => String(normaliseRun(run(fields)));

describe('a run', () => {
  it('as it was recorded is as MLflow would print it', () => {
    const recorded = JSON.stringify((JSON.parse(CREATED) as { run: unknown }).run);
    expect(String(normaliseRun(recorded))).toBe(
      `{"info":{"run_uuid":"${ID}","experiment_id":"41039c7f-0000-4000-8000-000000000002","run_name":"test",` +
        '"user_id":"First Last","status":"RUNNING","start_time":1730433600000,' +
        `"artifact_uri":"azureml://eastus2.api.azureml.ms/a","lifecycle_stage":"active","run_id":"${ID}"},` +
        `"data":{"tags":[{"key":"mlflow.user","value":"First Last"},{"key":"mlflow.rootRunId","value":"${ID}"},` +
        '{"key":"mlflow.runName","value":"test"}]},"inputs":{},"outputs":{}}',
    );
  });

  it.each([
    ['as text', '"9223372036854775807"'],
    ['as a number', '9223372036854775807'],
  ])('has times beyond 2^53 exact when they come %s', (_how, time) => {
    const text = `{"info":{"run_id":"a","start_time":${time},"end_time": ${time}}}`;
    const json = String(normaliseRun(text));
    expect(json).toContain('"start_time":9223372036854775807,"end_time":9223372036854775807,');
    expect(decodeRun(json).endTime).toBe(2n ** 63n - 1n);
  });

  it('has a start of 0 and no end when there are none', () => {
    expect(normalised()).toContain('"start_time":0,"lifecycle_stage"');
    expect(normalised({ info: { end_time: '0' } })).not.toContain('end_time');
  });

  it('has both names of its id, and every field that MLflow always has', () => {
    expect(JSON.parse(String(normaliseRun('{"info":{"run_uuid":"a"}}')))).toEqual({
      info: { run_uuid: 'a', user_id: '', status: 'RUNNING', start_time: 0, lifecycle_stage: 'active', run_id: 'a' },
      data: {},
      inputs: {},
      outputs: {},
    });
  });

  it.each([
    ['{"key":"m","value":0.1,"timestamp":"7","step":"3"}', '{"key":"m","value":0.1,"timestamp":7,"step":3}'],
    ['{"key":"m"}', '{"key":"m","value":0.0,"timestamp":0,"step":0}'],
    ['{"key":"m","value":1}', '{"key":"m","value":1.0,"timestamp":0,"step":0}'],
    ['{"key":"m","value":1E-05,"step":-2}', '{"key":"m","value":1e-05,"timestamp":0,"step":-2}'],
    ['{"key":"m","value":"NaN"}', '{"key":"m","value":"NaN","timestamp":0,"step":0}'],
    ['{"key":"m","value":NaN}', '{"key":"m","value":"NaN","timestamp":0,"step":0}'],
    ['{"key":"m","value":"-Infinity"}', '{"key":"m","value":"-Infinity","timestamp":0,"step":0}'],
    [
      '{"key":"m","value":9007199254740993,"step":"9007199254740993"}',
      '{"key":"m","value":9007199254740992.0,"timestamp":0,"step":9007199254740993}',
    ],
    [
      '{"key":"m","value":1,"step":"1"},{"key":"m","value":2,"step":"2"}',
      '{"key":"m","value":2.0,"timestamp":0,"step":2}',
    ],
  ])('has the metric %s as %s', (metric, expected) =>
    expect(String(normaliseRun(`{"info":{"run_id":"a"},"data":{"metrics":[${metric}]}}`))).toContain(
      `"data":{"metrics":[${expected}]}`,
    ),
  );

  it('has params and tags of nothing as empty text', () => {
    const data = { params: [{ key: 'p' }, { key: 'q', value: '1' }], tags: [{ key: 't', value: null }] };
    expect(normalised({ data })).toContain(
      '"data":{"params":[{"key":"p","value":""},{"key":"q","value":"1"}],"tags":[{"key":"t","value":""}]}',
    );
  });

  it.each([
    ['Finished', 'FINISHED'],
    ['KILLED', 'KILLED'],
    ['Completed', 'FINISHED'],
    ['Canceled', 'KILLED'],
    ['Not started', 'SCHEDULED'],
    ['NotStarted', 'SCHEDULED'],
    ['Queued', 'SCHEDULED'],
    ['Finalizing', 'RUNNING'],
    ['Something new', 'RUNNING'],
  ])('that is %s is %s to MLflow', (status, expected) =>
    expect(decodeRun(normaliseRun(run({ info: { status } }))).status).toBe(expected),
  );

  it('has its datasets', () => {
    const dataset = { name: 'd', digest: 'x', source_type: 'local', source: 's' };
    const inputs = { dataset_inputs: [{ tags: [{ key: 'mlflow.data.context', value: 'train' }], dataset }] };
    expect(decodeRun(normaliseRun(run({ inputs }))).datasets).toEqual([{ name: 'd', digest: 'x', context: 'train' }]);
  });

  it.each(['{}', '{"info":{}}', '[]', '{"info":', 'null'])('is not %s', (text) =>
    expect(() => normaliseRun(text)).toThrow(SyntaxError),
  );
});

describe('a search answer', () => {
  it('is cut into runs', () => {
    const text = `{"runs":[${run()},${run({ info: { run_id: 'b' } })}],"next_page_token":"a="}`;
    const { runs, nextPageToken } = splitAzureRuns(text);
    expect(runs.map((json) => decodeRun(json).runId)).toEqual([ID, 'b']);
    expect(nextPageToken).toBe('a=');
  });

  it.each(['{}', '{ }', '{"runs":[]}', '{"runs":[],"next_page_token":""}', '{"runs":null,"next_page_token":null}'])(
    'may be empty: %s',
    (text) => expect(splitAzureRuns(text)).toEqual({ runs: [], nextPageToken: undefined }),
  );

  it.each(['', '[]', '{"runs":[', '<html>', '{"runs":[{"info":{}}]}', '{"runs":{}}', '{"runs":[1]}'])(
    'is not %j',
    (text) => expect(() => splitAzureRuns(text)).toThrow(SyntaxError),
  );
});
