import { expect, it } from 'vitest';
import { signInError } from '../../../../adapters/azureml/sign-in-error.ts';

const REFUSED =
  "invalid_client: 7000215 - [2026-01-01 00:00:00Z]: AADSTS7000215: Invalid client secret provided. Ensure 's3cret' is it. " +
  'Trace ID: 00000000-0000-4000-8000-000000000001';

it("gives Entra's reason alone, and what to check", () =>
  expect(signInError('service-principal', new Error(REFUSED), ['s3cret']).message).toBe(
    'The gateway cannot sign in to Azure by its service principal: AADSTS7000215: Invalid client secret provided. ' +
      'Check the tenant and client id, that the secret or certificate has not expired, and the cloud.',
  ));

it('holds no secret, neither what is answered nor what is logged', () => {
  const error = signInError('service-principal', new Error(`bad value s3cret\nof s3cret`), ['s3cret', '']);
  expect(error.message).toContain('bad value ***.');
  expect((error.cause as Error).message).toBe('bad value ***\nof ***');
  expect(JSON.stringify([error, error.stack, error.cause])).not.toContain('s3cret');
});

it('is not endless', () => expect(signInError('cli', 'x'.repeat(5_000), []).message.length).toBeLessThan(400));

it.each([
  ['a refusal', Object.assign(new Error('no'), { statusCode: 401 }), 'UNAUTHENTICATED'],
  ['no such credential', new Error('CredentialUnavailableError'), 'UNAUTHENTICATED'],
  ['an issuer that is busy', Object.assign(new Error('no'), { statusCode: 429 }), 'TEMPORARILY_UNAVAILABLE'],
  ['an issuer that is down', Object.assign(new Error('no'), { statusCode: 503 }), 'TEMPORARILY_UNAVAILABLE'],
  [
    'an issuer that is away',
    new Error('no', { cause: Object.assign(new Error('x'), { code: 'ECONNREFUSED' }) }),
    'TEMPORARILY_UNAVAILABLE',
  ],
])('tells %s from the others', (_what, thrown, code) => expect(signInError('default', thrown, []).code).toBe(code));
