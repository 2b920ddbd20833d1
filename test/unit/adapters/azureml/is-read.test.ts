import { expect, it } from 'vitest';
import { isRead } from '../../../../adapters/azureml/is-read.ts';

it.each([
  ['GET', '/api/2.0/mlflow/runs/get?run_id=a', true],
  ['POST', '/api/2.0/mlflow/runs/search', true],
  ['POST', '/api/2.0/mlflow/experiments/search?x', true],
  ['POST', '/api/2.0/mlflow/runs/create', false],
  ['POST', '/api/2.0/mlflow/runs/create?x=/search', false],
  ['POST', '/api/2.0/mlflow/runs/log-batch', false],
  ['PATCH', '/api/2.0/mlflow/registered-models/update', false],
  ['DELETE', '/api/2.0/mlflow/model-versions/delete', false],
  ['DELETE', '/api/2.0/mlflow/search', false],
])('%s %s is a read: %s', (method, path, expected) => expect(isRead({ method, path })).toBe(expected));
