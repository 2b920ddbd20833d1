import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type OpenGateway, openGateway } from '../fixtures/open-gateway.ts';
import { makeCertificate } from '../services/make-certificate.ts';

const folder = mkdtempSync(join(tmpdir(), 'upstream-tls-'));
const caFile = join(folder, 'certificate.pem');
let server: Server;
let port: number;
let gateway: OpenGateway | undefined;
const names: unknown[] = [];

beforeAll(async () => {
  const key = join(folder, 'key.pem');
  await makeCertificate(key, caFile);
  server = createServer({ key: readFileSync(key), cert: readFileSync(caFile) }, (req, res) => {
    names.push((req.socket as TLSSocket).servername);
    res.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ url: req.url }));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  port = (server.address() as AddressInfo).port;
});
afterEach(async () => {
  await gateway?.close();
  gateway = undefined;
  names.length = 0;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
  rmSync(folder, { recursive: true });
});

type Upstream = NonNullable<Parameters<typeof openGateway>[0]['upstream']>;

/** What comes of a read, a write and a request that only passes. */
async function statuses(upstream: Upstream, host = '127.0.0.1'): Promise<number[]> {
  gateway = await openGateway({
    upstream: { url: `https://${host}:${port}`, timeoutMs: 3_000, ...upstream },
    dialect: 'sqlite',
    log: { level: 'silent' },
  });
  const { url } = gateway;
  const write = { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"run_id":"a"}' };
  const answers = [
    await fetch(`${url}/api/2.0/mlflow/runs/get?run_id=${'a'.repeat(32)}`),
    await fetch(`${url}/api/2.0/mlflow/runs/set-tag`, write),
    await fetch(`${url}/x`),
  ];
  return answers.map(({ status }) => status);
}

describe('an MLflow server with TLS', () => {
  it('is spoken to when its authority is trusted', async () =>
    expect(await statuses({ caFile })).toEqual([200, 200, 200]));

  it('is told which name it is called by', async () => {
    expect(await statuses({ caFile }, 'localhost')).toEqual([200, 200, 200]);
    expect(new Set(names)).toEqual(new Set(['localhost']));
  });

  it('is not when it is not, by default', async () => {
    expect(await statuses({})).toEqual([503, 503, 503]);
    expect(names).toEqual([]);
  });

  it('is when any certificate will do', async () =>
    expect(await statuses({ rejectUnauthorized: false })).toEqual([200, 200, 200]));
});
