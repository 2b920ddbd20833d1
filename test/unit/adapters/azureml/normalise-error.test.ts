import { describe, expect, it } from 'vitest';
import { normaliseError } from '../../../../adapters/azureml/normalise-error.ts';

const workspace = { workspace: 'ws', resourceGroup: 'rg-1' };
const asked = { method: 'POST', path: '/api/2.0/mlflow/runs/search?x=1', workspace };

function answerTo(status: number, body: unknown) {
  const bytes = Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
  const { body: normalised, ...rest } = normaliseError({ status, headers: {}, body: bytes }, asked);
  return { status: rest.status, ...(JSON.parse(normalised.toString()) as { error_code: string; message: string }) };
}

/** As version 2 of the endpoint answers. */
const pascal = (code: string, message: string, errorCode?: string) => ({
  Error: { Code: code, Severity: null, Message: message, Details: [], InnerError: null },
  Correlation: { operation: '0123456789abcdef0123456789abcdef', request: '0123456789abcdef' },
  ComponentName: 'mlflow',
  statusCode: 400,
  ...(errorCode && { error_code: errorCode }),
});

/** As version 1 and run history answer. */
const camel = (message: string, innerCode?: string) => ({
  error: { code: 'UserError', message, ...(innerCode && { innerError: { code: innerCode, innerError: null } }) },
  correlation: { operation: '0123456789abcdef0123456789abcdef' },
  componentName: 'mlflow',
});

const HTML = '<!DOCTYPE html><title>Service unavailable</title>';
const OVER = 'A field of the entity is over the size limit. FieldName=Parameters, Limit=200, Size=210';

describe('an error', () => {
  it.each<[string, number, unknown, number, string, string | RegExp]>([
    [
      'of the form with capitals',
      400,
      pascal('UserError', "Operator 'LIKE' not supported for key type 'Tag'.", 'INVALID_PARAMETER_VALUE'),
      400,
      'INVALID_PARAMETER_VALUE',
      "Operator 'LIKE' not supported for key type 'Tag'.",
    ],
    [
      'that calls a bad parameter a bad request',
      400,
      pascal('UserError', 'MaxResults = 25000 is invalid: MaxResults must be less than 1000.', 'BAD_REQUEST'),
      400,
      'INVALID_PARAMETER_VALUE',
      'MaxResults = 25000 is invalid: MaxResults must be less than 1000.',
    ],
    ['about too many fields', 400, pascal('ValidationError', OVER), 400, 'INVALID_PARAMETER_VALUE', OVER],
    [
      'about nothing in particular',
      400,
      pascal('UserError', 'The request is invalid.', 'BAD_REQUEST'),
      400,
      'BAD_REQUEST',
      'The request is invalid.',
    ],
    ['of the other form', 400, camel('The request is invalid.'), 400, 'BAD_REQUEST', 'The request is invalid.'],
    [
      "in MLflow's own words",
      404,
      { error_code: 'RESOURCE_DOES_NOT_EXIST', message: 'Run with id=a not found' },
      404,
      'RESOURCE_DOES_NOT_EXIST',
      'Run with id=a not found',
    ],
    ['of run history', 404, camel('Run a was not found'), 404, 'RESOURCE_DOES_NOT_EXIST', 'Run a was not found'],
    ['with a word that is not known', 409, { error_code: 'ABORTED', message: 'm' }, 409, 'ABORTED', 'm'],
    ['that blames the server', 400, { error_code: 'INTERNAL_ERROR', message: 'm' }, 400, 'BAD_REQUEST', 'm'],
    ['a bare 400', 400, '', 400, 'BAD_REQUEST', 'Azure Machine Learning answered 400 without a reason.'],
    ['a bare 404', 404, '', 404, 'ENDPOINT_NOT_FOUND', /does not have POST \/api\/2\.0\/mlflow\/runs\/search\.$/],
    ['a conflict', 409, camel('There is one.'), 400, 'RESOURCE_ALREADY_EXISTS', 'There is one.'],
    ['a bare 408', 408, '', 504, 'DEADLINE_EXCEEDED', /answered 408/],
    ['a bare 429', 429, '', 429, 'REQUEST_LIMIT_EXCEEDED', /answered 429/],
    ['a limit with a reason', 429, camel('Slow down.'), 429, 'REQUEST_LIMIT_EXCEEDED', 'Slow down.'],
    ['a bare 500', 500, '', 500, 'INTERNAL_ERROR', /answered 500/],
    ['a page of HTML', 503, HTML, 503, 'TEMPORARILY_UNAVAILABLE', /answered 503 without a reason/],
    ['a proxy that got nothing', 502, HTML, 503, 'TEMPORARILY_UNAVAILABLE', /answered 502/],
    ['a node that starts', 530, '', 503, 'TEMPORARILY_UNAVAILABLE', /answered 530/],
    ['another status', 418, '', 418, 'BAD_REQUEST', /answered 418/],
    ['JSON that is no object', 500, '[1]', 500, 'INTERNAL_ERROR', /answered 500/],
    ['JSON that breaks off', 500, '{"error":', 500, 'INTERNAL_ERROR', /answered 500/],
    ['fields that are no objects', 400, { error: 'invalid', message: 7 }, 400, 'BAD_REQUEST', /answered 400/],
    ['a refusal as 500', 500, pascal('UserError', OVER), 400, 'INVALID_PARAMETER_VALUE', OVER],
    ['a refusal as 503 without more', 503, pascal('UserError', 'No.'), 400, 'BAD_REQUEST', 'No.'],
    ['an outage with a message', 500, serviceError('Down.'), 500, 'INTERNAL_ERROR', 'Down.'],
  ])('%s is worded as by MLflow', (_what, status, body, expectedStatus, code, message) =>
    expect(answerTo(status, body)).toEqual({
      status: expectedStatus,
      error_code: code,
      message: typeof message === 'string' ? message : expect.stringMatching(message),
    }),
  );

  it.each<[string, number, unknown]>([
    ['an empty 401', 401, ''],
    ['401 with a reason', 401, camel('Bearer token not provided.', 'AuthorizationError')],
    ['401 that calls itself internal', 401, { error_code: 'INTERNAL_ERROR', message: 'Response: ...' }],
    ['no token, said with 500', 500, camel('Bearer token not provided.', 'AuthorizationError')],
  ])('about the token says where to look: %s', (_what, status, body) =>
    expect(answerTo(status, body)).toEqual({
      status: 401,
      error_code: 'UNAUTHENTICATED',
      message: expect.stringMatching(
        / Check that .* of the tenant and the cloud of workspace ws \(resource group rg-1\)\.$/,
      ),
    }),
  );

  it.each<[string, number, unknown]>([
    ['an empty 403', 403, ''],
    ['403 with a reason', 403, camel('No.', 'AuthorizationError')],
    ['the same with 500', 500, camel('No.', 'AuthorizationError')],
  ])('about rights names the role and the workspace: %s', (_what, status, body) =>
    expect(answerTo(status, body)).toEqual({
      status: 403,
      error_code: 'PERMISSION_DENIED',
      message: expect.stringMatching(/ the role AzureML Data Scientist in workspace ws \(resource group rg-1\)\.$/),
    }),
  );

  it('about a private link says by which way the workspace is reached', () => {
    const text = 'Access to workspace was denied based on workspace private link configuration.';
    expect(answerTo(503, camel(text))).toEqual({
      status: 403,
      error_code: 'PERMISSION_DENIED',
      message: `${text} Reach workspace ws (resource group rg-1) by its private host, from its network.`,
    });
  });

  it('keeps the headers that are about more than the body', () => {
    const headers = {
      'retry-after': '7',
      'mise-correlation-id': 'm',
      'content-length': '3',
      'content-type': 'text/html',
    };
    expect(normaliseError({ status: 429, headers, body: Buffer.from('no!') }, asked).headers).toEqual({
      'retry-after': '7',
      'mise-correlation-id': 'm',
      'content-type': 'application/json',
    });
  });
});

function serviceError(message: string) {
  return { error: { code: 'ServiceError', message } };
}
