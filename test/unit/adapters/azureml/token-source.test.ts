import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { CLOUDS } from '../../../../adapters/azureml/cloud.ts';
import { createTokenSource } from '../../../../adapters/azureml/token-source.ts';
import type { GatewayError } from '../../../../src/errors/gateway-error.ts';
import { OwnServer } from '../../../fixtures/own-server.ts';

afterEach(() => void vi.unstubAllEnvs());

/** Puts a program in the place of `az`. */
function installAz(script: string): void {
  const folder = mkdtempSync(join(tmpdir(), 'az-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, 'az'), `#!/bin/sh\n${script}\n`);
  writeFileSync(join(folder, 'count'), '');
  chmodSync(join(folder, 'az'), 0o755);
  vi.stubEnv('PATH', `${folder}:${process.env.PATH}`);
}

const COUNTING = `cd "$(dirname "$0")"; echo >> count
printf '{"accessToken":"%s/%s","expires_on":%s}' "$(wc -l < count | tr -d ' ')" "$6" "$(($(date +%s) + 3600))"`;

describe('a token', () => {
  it('that was given is the one', async () => {
    const source = createTokenSource({ kind: 'static', token: 'given' }, CLOUDS.public);
    expect([await source.token(), await source.token({ fresh: true })]).toEqual(['given', 'given']);
  });

  it('of the Azure CLI is for the resource manager of its cloud, and kept', async () => {
    installAz(COUNTING);
    const source = createTokenSource({ kind: 'cli' }, CLOUDS.china);
    const tokens = await Promise.all([source.token(), source.token()]);
    expect([...tokens, await source.token()]).toEqual(Array(3).fill('1/https://management.chinacloudapi.cn'));
  });

  it('is another one on demand', async () => {
    installAz(COUNTING);
    const source = createTokenSource({ kind: 'cli' }, CLOUDS.public);
    await source.token();
    expect(await source.token({ fresh: true })).toBe('2/https://management.azure.com');
    expect(await source.token()).toBe('2/https://management.azure.com');
  });

  it('is not waited for by who has gone, and comes to the others', async () => {
    installAz(`sleep 0.3; ${COUNTING}`);
    const source = createTokenSource({ kind: 'cli' }, CLOUDS.public);
    const controller = new AbortController();
    const gone = source.token({ signal: controller.signal });
    const other = source.token();
    controller.abort();
    await expect(gone).rejects.toMatchObject({ code: 'CANCELLED' });
    expect(await other).toBe('1/https://management.azure.com');
  });

  it('that does not come in time is given up', async () => {
    installAz('sleep 2');
    const source = createTokenSource({ kind: 'cli' }, CLOUDS.public, { timeoutMs: 50 });
    await expect(source.token()).rejects.toMatchObject({
      code: 'DEADLINE_EXCEEDED',
      message: expect.stringMatching(/by the Azure CLI: No token came within 50 ms\./),
    });
  });

  it('that there is none of is said with what to check', async () => {
    installAz('echo "ERROR: Please run az login to setup account." >&2; exit 1');
    const failures: GatewayError[] = [];
    const source = createTokenSource({ kind: 'cli' }, CLOUDS.public, { onFailure: (error) => failures.push(error) });
    await expect(source.token()).rejects.toMatchObject({
      code: 'UNAUTHENTICATED',
      status: 401,
      message: expect.stringMatching(/^The gateway cannot sign in to Azure by the Azure CLI: .* run az login\.$/),
    });
    expect(failures).toMatchObject([{ code: 'UNAUTHENTICATED', cause: expect.any(Error) }]);
  });
});

describe('the identity of a machine', () => {
  let server: OwnServer;
  const asked: URLSearchParams[] = [];

  // As App Service offers it; the library finds out once a process where it is.
  beforeAll(async () => {
    server = await OwnServer.start();
  });
  beforeEach(() => {
    vi.stubEnv('IDENTITY_ENDPOINT', `${server.url}/msi/token`);
    vi.stubEnv('IDENTITY_HEADER', 'header');
    asked.length = 0;
    server.answer((req, res) => {
      const query = new URL(req.url ?? '', server.url).searchParams;
      const token = {
        access_token: `token ${asked.push(query)}`,
        expires_on: Math.floor(Date.now() / 1_000) + 86_400,
        // What the library keeps it under.
        resource: query.get('resource'),
        token_type: 'Bearer',
      };
      res.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(token));
    });
  });
  afterAll(() => server.stop());

  it('is asked for by its client id', async () => {
    const clientId = '00000000-0000-4000-8000-000000000001';
    const source = createTokenSource({ kind: 'managed-identity', clientId }, CLOUDS.public);
    expect(await source.token()).toBe('token 1');
    expect(Object.fromEntries(asked[0] ?? [])).toMatchObject({
      resource: 'https://management.azure.com',
      client_id: clientId,
    });
  });

  it('has one token a process, whatever is demanded', async () => {
    const clientId = '00000000-0000-4000-8000-000000000002';
    const source = createTokenSource({ kind: 'managed-identity', clientId }, CLOUDS.public);
    expect([await source.token(), await source.token({ fresh: true })]).toEqual(['token 1', 'token 1']);
  });

  it('that is not there is said with what to check', async () => {
    server.answer((_req, res) => void res.writeHead(400).end('{"error":"invalid_request"}'));
    const clientId = '00000000-0000-4000-8000-000000000003';
    const source = createTokenSource({ kind: 'managed-identity', clientId }, CLOUDS.public);
    await expect(source.token()).rejects.toMatchObject({
      code: 'UNAUTHENTICATED',
      message: expect.stringMatching(/by its managed identity: .* Check that this machine has the identity/),
    });
  });
});

it('what is needed and not given is said: a service principal', async () => {
  const principal = { kind: 'service-principal', tenantId: 'not a tenant', clientId: 'c', secret: 's3cret' } as const;
  const source = createTokenSource(principal, CLOUDS.public);
  await expect(source.token()).rejects.toMatchObject({
    code: 'UNAUTHENTICATED',
    message: expect.stringMatching(/by its service principal: .*tenant/i),
  });
});

it('what is needed and not given is said: a workload identity', async () => {
  vi.stubEnv('AZURE_CLIENT_ID', '');
  vi.stubEnv('AZURE_TENANT_ID', '');
  const source = createTokenSource({ kind: 'workload-identity' }, CLOUDS.public);
  await expect(source.token()).rejects.toMatchObject({
    code: 'UNAUTHENTICATED',
    message: expect.stringMatching(/by its workload identity: .* Check AZURE_TENANT_ID/),
  });
});
