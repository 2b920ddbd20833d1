import { describe, expect, it } from 'vitest';
import { accessKind } from '../../../src/http/access-table.ts';

const READ = [
  'GET /',
  'HEAD /get-artifact',
  'GET /api/2.0/mlflow/runs/get',
  'GET /api/2.0/mlflow-artifacts/artifacts/a/b',
  'GET /of/a/later/version',
  'GET /gateway/status',
  'POST /graphql',
  'POST /api/2.0/mlflow/runs/search',
  'POST /ajax-api/2.0/mlflow/runs/search',
  'POST /ajax-api/2.0/mlflow/experiments/search-datasets',
  'POST /api/2.0/mlflow/artifacts/presigned-download-url',
  'POST /api/3.0/mlflow/traces/search',
  'POST /ajax-api/3.0/mlflow/traces/batchGetInfos',
];

const WRITE = [
  'POST /api/2.0/mlflow/runs/create',
  'POST /api/2.0/mlflow/artifacts/presigned-upload-url',
  'POST /api/2.0/mlflow/traces',
  'POST /api/2.0/mlflow/of/a/later/version',
  'POST /v1/traces',
  'POST /gateway/an-endpoint/mlflow/invocations',
  'GET /gateway/proxy/an-endpoint/v1/batches',
  'GET /gateway//proxy/an-endpoint/v1/batches',
  'PUT /api/2.0/mlflow-artifacts/artifacts/a',
  'PATCH /api/2.0/mlflow/model-versions/update',
  'DELETE /api/2.0/mlflow/runs/search',
  'OPTIONS /api/2.0/mlflow/runs/search',
  'PURGE /',
  // As spelled, it is another path.
  'POST /api/2.0/mlflow//runs/search',
  'POST /api/2.0/mlflow/runs/search/',
  'POST /api/2.0/mlflow/runs/%73earch',
  'POST /api/2.0/mlflow/runs/delete/../search',
  'POST /API/2.0/mlflow/runs/search',
  'POST /graphql/',
];

const ADMINISTER = [
  'GET /signup',
  'POST /signup',
  'GET /api/2.0/mlflow/users/get',
  'PATCH /api/2.0/mlflow/users/update-password',
  'PATCH /ajax-api/2.0/mlflow/users/update-password',
  'PATCH /api/2.0/mlflow/%75sers/update-password',
  'PATCH /api/2.0/mlflow/%2575sers/update-password',
  'PATCH /api/2.0//mlflow/users/update-password',
  'PATCH /api/2.0/mlflow/runs/../users/update-password',
  'PATCH /prefix/api/2.0/mlflow/users/update-password',
  'POST /api/3.0/mlflow/users/permissions/grant',
  'POST /api/3.0/mlflow/roles/create',
  'POST /api/2.0/mlflow/experiments/permissions/create',
  'DELETE /api/2.0/mlflow/registered-models/permissions/delete',
];

const kindOf = (request: string) => accessKind(...(request.split(' ') as [string, string]));

describe('what a request does', () => {
  it.each(READ)('%s reads', (request) => expect(kindOf(request)).toBe('read'));
  it.each(WRITE)('%s may write', (request) => expect(kindOf(request)).toBe('write'));
  it.each(ADMINISTER)('%s is about users and permissions', (request) => expect(kindOf(request)).toBe('administer'));
});
