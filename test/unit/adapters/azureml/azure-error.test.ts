import { expect, it } from 'vitest';
import { isRefusal, readAzureError } from '../../../../adapters/azureml/azure-error.ts';

const read = (body: unknown) => readAzureError({ body: Buffer.from(JSON.stringify(body)) });

it('finds what support finds the request by, in both forms', () => {
  expect(read({ Error: {}, Correlation: { operation: 'a' } }).operation).toBe('a');
  expect(read({ error: {}, correlation: { operation: 'b' } }).operation).toBe('b');
  expect(read({ error: {} }).operation).toBeUndefined();
});

it('finds the codes of errors in errors', () => {
  const { codes } = read({ Error: { Code: 'UserError', InnerError: { Code: 'A', InnerError: { code: 'B' } } } });
  expect(codes).toEqual(['UserError', 'A', 'B']);
});

it.each([
  [{ Error: { Code: 'UserError' } }, true],
  [{ error: { code: 'ValidationError' } }, true],
  [{ error: { code: 'ServiceError' } }, false],
  [{ error_code: 'INTERNAL_ERROR', message: 'm' }, false],
  [null, false],
])('%j is a refusal: %s', (body, expected) => expect(isRefusal(read(body))).toBe(expected));
