import { expect, it } from 'vitest';
import { normaliseAnswer } from '../../../../adapters/azureml/normalise-answer.ts';

const API = '/api/2.0/mlflow';
const info = '{"run_uuid":"a","user_id":"","status":"RUNNING","start_time":7,"lifecycle_stage":"active","run_id":"a"}';
const azureRun = '{"info":{"run_id":"a","start_time":"7"},"data":{},"inputs":{}}';
const experiment = '{"experiment_id":"e","name":"n","lifecycle_stage":"active","last_update_time":9,"creation_time":8}';
const azureExperiment = '{"experiment_id":"e","name":"n","creation_time":"8","last_update_time":"9","tags":[]}';

it.each([
  ['runs/get?run_id=a', `{"run":${azureRun}}`, `{"run":{"info":${info},"data":{},"inputs":{},"outputs":{}}}`],
  ['runs/create', `{"run":${azureRun}}`, `{"run":{"info":${info},"data":{},"inputs":{}}}`],
  ['runs/update', '{"run_info":{"run_id":"a","start_time":"7"}}', `{"run_info":${info}}`],
  [
    'runs/search',
    `{"runs":[${azureRun}],"next_page_token":"t"}`,
    `{"runs":[{"info":${info},"data":{},"inputs":{},"outputs":{}}],"next_page_token":"t"}`,
  ],
  ['runs/search', '{ }', '{}'],
  ['experiments/get?experiment_id=e', `{"experiment":${azureExperiment}}`, `{"experiment":${experiment}}`],
  ['experiments/get-by-name?experiment_name=n', `{"experiment":${azureExperiment}}`, `{"experiment":${experiment}}`],
  ['experiments/search', `{"experiments":[${azureExperiment}]}`, `{"experiments":[${experiment}]}`],
  ['experiments/search', '{}', '{}'],
  ['experiments/create', '{"experiment_id":"e"}', '{"experiment_id":"e"}'],
  [
    'metrics/get-history?run_id=a',
    '{"metrics":[{"key":"m","value":1,"timestamp":"9223372036854775807"}],"next_page_token":""}',
    '{"metrics":[{"key":"m","value":1.0,"timestamp":9223372036854775807,"step":0}]}',
  ],
  ['runs/log-metric', '{ }', '{}'],
  ['runs/set-tag', '{}\n', '{}'],
  ['registered-models/search', '{"registered_models": [{"creation_timestamp": "1"}]}', undefined],
])('the answer of %s is as MLflow has it: %s', (path, text, expected) =>
  expect(normaliseAnswer(`${API}/${path}`, text)).toBe(expected ?? text),
);

it.each([
  ['runs/get', '{}'],
  ['runs/get', '<html>'],
  ['runs/update', '{}'],
  ['experiments/get', '{"experiment":{}}'],
])('%s is not answered by %s', (path, text) =>
  expect(() => normaliseAnswer(`${API}/${path}`, text)).toThrow(SyntaxError),
);
