import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { CLOUDS, type Credential, createTokenSource } from '../../adapters/azureml/index.ts';
import { makeCertificate } from '../services/make-certificate.ts';

const TENANT = '00000000-0000-4000-8000-000000000001';
const CLIENT = '00000000-0000-4000-8000-000000000002';
const folder = mkdtempSync(join(tmpdir(), 'sign-in-'));
const [keyFile, certificateFile] = [join(folder, 'key.pem'), join(folder, 'certificate.pem')];
let server: Server;
let authorityHost: string;
let ca: string;

interface Refusal {
  readonly status: number;
  readonly body: object;
}

/** What Entra was asked for, and refuses from now on. */
const entra = { asked: [] as URLSearchParams[], refusal: undefined as Refusal | undefined };

/** The two endpoints of Entra (OpenID Connect, OAuth 2.0) that a service principal needs. */
beforeAll(async () => {
  await makeCertificate(keyFile, certificateFile);
  ca = readFileSync(certificateFile, 'utf8');
  server = createServer({ key: readFileSync(keyFile), cert: ca }, async (req, res) => {
    const body = Buffer.concat(await req.toArray()).toString();
    const base = `${authorityHost}/${TENANT}`;
    const isToken = req.url?.includes('/oauth2/v2.0/token');
    const answer = isToken
      ? {
          access_token: `token ${entra.asked.push(new URLSearchParams(body))}`,
          token_type: 'Bearer',
          expires_in: 3_599,
        }
      : {
          issuer: `${base}/v2.0`,
          authorization_endpoint: `${base}/oauth2/v2.0/authorize`,
          token_endpoint: `${base}/oauth2/v2.0/token`,
          jwks_uri: `${base}/discovery/v2.0/keys`,
        };
    const { refusal } = entra;
    res.writeHead((isToken && refusal?.status) || 200, { 'content-type': 'application/json' });
    res.end(JSON.stringify((isToken && refusal?.body) || answer));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  authorityHost = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
beforeEach(() => {
  entra.asked.length = 0;
  entra.refusal = undefined;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
  rmSync(folder, { recursive: true });
});

const principal = { kind: 'service-principal', tenantId: TENANT, clientId: CLIENT } as const;
const open = (credential: Credential) =>
  createTokenSource(credential, CLOUDS['us-government'], { authorityHost, ca, timeoutMs: 20_000 });

it('a service principal gets a token for its secret, keeps it, and gets another on demand', async () => {
  const source = open({ ...principal, secret: 's3cret' });
  expect(await Promise.all([source.token(), source.token()])).toEqual(['token 1', 'token 1']);
  expect(Object.fromEntries(entra.asked[0] ?? [])).toMatchObject({
    client_id: CLIENT,
    client_secret: 's3cret',
    grant_type: 'client_credentials',
    scope: expect.stringContaining('https://management.usgovcloudapi.net/.default'),
  });
  expect(await source.token({ fresh: true })).toBe('token 2');
  expect(await source.token()).toBe('token 2');
});

it('a service principal gets a token for its certificate', async () => {
  const both = join(folder, 'both.pem');
  writeFileSync(both, readFileSync(keyFile, 'utf8') + ca);
  expect(await open({ ...principal, certificateFile: both }).token()).toBe('token 1');
  expect(entra.asked[0]?.get('client_assertion')).toMatch(/^ey/);
});

it('a workload identity gets a token for that of its service account', async () => {
  const tokenFile = join(folder, 'account');
  writeFileSync(tokenFile, 'account-token');
  const identity = { kind: 'workload-identity', tenantId: TENANT, clientId: CLIENT, tokenFile } as const;
  expect(await open(identity).token()).toBe('token 1');
  expect(entra.asked[0]?.get('client_assertion')).toBe('account-token');
});

it('a secret that is refused is said, and not shown', async () => {
  const description = 'AADSTS7000215: Invalid client secret provided. Trace ID: x';
  entra.refusal = {
    status: 401,
    body: { error: 'invalid_client', error_description: description, error_codes: [7000215] },
  };
  const refused = open({ ...principal, secret: 's3cret' }).token();
  await expect(refused).rejects.toMatchObject({
    code: 'UNAUTHENTICATED',
    message: expect.stringMatching(/by its service principal: AADSTS7000215: Invalid client secret provided\. Check /),
  });
  await expect(refused).rejects.not.toThrow(/s3cret/);
});

it('is asked again after a failure', async () => {
  const source = open({ ...principal, secret: 's3cret' });
  entra.refusal = { status: 400, body: { error: 'invalid_request' } };
  await expect(source.token()).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
  entra.refusal = undefined;
  expect(await source.token()).toMatch(/^token /);
});

it('Entra that is away is not a refusal', async () => {
  const source = createTokenSource({ ...principal, secret: 's3cret' }, CLOUDS.public, {
    authorityHost: 'https://127.0.0.1:1',
  });
  await expect(source.token()).rejects.toMatchObject({ code: 'TEMPORARILY_UNAVAILABLE' });
});

it('Entra with a certificate that nobody knows is not trusted', async () => {
  const source = createTokenSource({ ...principal, secret: 's3cret' }, CLOUDS.public, { authorityHost });
  await expect(source.token()).rejects.toMatchObject({ code: 'TEMPORARILY_UNAVAILABLE' });
  expect(entra.asked).toEqual([]);
});
