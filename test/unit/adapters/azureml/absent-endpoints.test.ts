import { describe, expect, it } from 'vitest';
import { absentEndpoint, isAbsentEndpoint } from '../../../../adapters/azureml/absent-endpoints.ts';

describe('an endpoint', () => {
  it.each([
    '/api/3.0/mlflow/traces/search',
    '/ajax-api/3.0/mlflow/server-info',
    '/api/4.0/mlflow/traces',
    '/ajax-api/2.0/mlflow/runs/search',
    '/health',
    '/graphql',
    '/api/2.0/mlflow/logged-models',
    '/api/2.0/mlflow/logged-models/search?x=/api/2.0',
    '/api/2.0/mlflow/traces',
    '/api/2.0/mlflow/traces?experiment_ids=0',
    '/api/2.0/preview/mlflow/traces',
    '/api/2.0/mlflow/scorers/register',
    '/api/2.0/mlflow/prompts/create',
  ])('%s is not there', (path) => expect(isAbsentEndpoint(path)).toBe(true));

  it.each([
    '/api/2.0/mlflow/runs/search',
    '/api/2.0/mlflow/runs/get?run_id=/api/3.0/x',
    '/api/2.0/mlflow/experiments/search',
    '/api/2.0/mlflow/registered-models/search',
    '/api/2.0/mlflow/traces-of-mine',
    '/api/2.0/preview/mlflow/runs/log-batch-async',
  ])('%s may be', (path) => expect(isAbsentEndpoint(path)).toBe(false));

  it.each([
    '/api/2.0/../../../../../../subscriptions/other',
    '/api/2.0/%2e%2e/%2E%2E/history',
    '/api/2.0/..%2f..%2fhistory',
    '/api/2.0/%252e%252e/history',
    '/api/2.0/..\\\\history',
    '/api/2.0/mlflow;x/runs',
    'api/2.0/mlflow/runs/get',
    '//elsewhere/api/2.0/mlflow/runs/get',
    '',
  ])('%s is none, and leads nowhere else', (path) => expect(isAbsentEndpoint(path)).toBe(true));

  it('that is not there has the answer MLflow clients go back to older ways on', () =>
    expect(absentEndpoint('/api/3.0/mlflow/traces?a=b')).toMatchObject({
      code: 'ENDPOINT_NOT_FOUND',
      status: 404,
      message: 'Azure Machine Learning does not have /api/3.0/mlflow/traces.',
    }));
});
