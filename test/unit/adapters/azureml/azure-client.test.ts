import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { gzipSync } from 'node:zlib';
import { describe, expect, it, onTestFinished } from 'vitest';
import {
  AzureClient,
  type AzureClientOptions,
  type FailedExchange,
} from '../../../../adapters/azureml/azure-client.ts';
import type { TokenSource } from '../../../../adapters/azureml/token-source.ts';
import { workspaceAddress } from '../../../../adapters/azureml/workspace-address.ts';
import { OwnServer } from '../../../fixtures/own-server.ts';
import { freePort } from '../../../services/launch.ts';

const address = workspaceAddress({
  subscriptionId: '00000000-0000-4000-8000-000000000001',
  resourceGroup: 'rg-1',
  workspace: 'ws',
  region: 'westeurope',
});
const SEARCH = {
  method: 'POST',
  path: '/api/2.0/mlflow/runs/search',
  headers: { 'content-type': 'application/json' },
  body: '{}',
};
const CREATE = { ...SEARCH, path: '/api/2.0/mlflow/runs/create' };
const GET = { method: 'GET', path: '/api/2.0/mlflow/runs/get?run_id=a' };

/** Tokens that are counted on demand. */
function countingTokens(): TokenSource & { demands: number } {
  return {
    demands: 0,
    async token({ fresh } = {}) {
      if (fresh) this.demands++;
      return `token-${this.demands}`;
    },
  };
}

type Answer = (req: IncomingMessage, res: ServerResponse) => void;

/** Headers of a request: each comes once here. */
type Headers = Readonly<Record<string, string | undefined>>;

interface SetUp extends Partial<AzureClientOptions> {
  /** In turn; the last one stays. */
  readonly answers: readonly Answer[];
  readonly url?: string;
}

async function setUp({ answers, url, ...options }: SetUp) {
  const server = await OwnServer.start();
  const seen: { url: string | undefined; headers: Headers; body: string }[] = [];
  const failures: FailedExchange[] = [];
  const listen: RequestListener = async (req, res) => {
    const body = Buffer.concat(await req.toArray()).toString();
    const answer = answers[seen.length] ?? answers.at(-1);
    seen.push({ url: req.url, headers: req.headers as Headers, body });
    answer?.(req, res);
  };
  server.answer((req, res) => void listen(req, res));
  const tokens = countingTokens();
  const client = new AzureClient({
    address: { ...address, mlflowUrl: `${url ?? server.url}/mlflow/v2.0${address.scope}` },
    tokens,
    timeoutMs: 2_000,
    connections: 4,
    retry: { attempts: 4, firstMs: 2, totalMs: 5_000 },
    onFailure: (failure) => failures.push(failure),
    ...options,
  });
  onTestFinished(async () => {
    await server.stop();
    await client.close();
  });
  const ask = async (request: Parameters<AzureClient['request']>[0]) => {
    const { status, headers, body } = await client.request(request);
    return { status, headers, text: body.toString() };
  };
  return { ask, seen, failures, tokens };
}

const json =
  (status: number, body: unknown = {}, headers: Record<string, string> = {}): Answer =>
  (_req, res) =>
    void res.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
const bare =
  (status: number, headers: Record<string, string> = {}): Answer =>
  (_req, res) =>
    void res.writeHead(status, headers).end();
const hangUp: Answer = (req) => void req.socket.destroy();

const statuses = (failures: readonly FailedExchange[]) => failures.map(({ status }) => status);

describe('a request', () => {
  it('goes to the workspace with a token, an id of its own and nothing of the caller', async () => {
    const { ask, seen } = await setUp({ answers: [json(200, { runs: [] })] });
    const headers = { 'Content-Type': 'application/json', cookie: 'a=b', authorization: 'Basic eDp5', 'x-custom': '1' };
    expect(await ask({ ...SEARCH, headers })).toMatchObject({ status: 200, text: '{"runs":[]}' });
    await ask(SEARCH);
    expect(seen[0]).toMatchObject({
      url: `/mlflow/v2.0${address.scope}/api/2.0/mlflow/runs/search`,
      body: '{}',
      headers: { authorization: 'Bearer token-0', 'content-type': 'application/json' },
    });
    expect(seen[0]?.headers).not.toHaveProperty('cookie');
    expect(seen[0]?.headers).not.toHaveProperty('x-custom');
    const [first, second] = seen.map((request) => request.headers['x-ms-client-request-id']);
    expect(first).toMatch(/^[0-9a-f]{8}-/);
    expect(second).not.toBe(first);
  });

  it('is answered packed', async () => {
    const zip: Answer = (req, res) => {
      expect(req.headers['accept-encoding']).toBe('gzip');
      res
        .writeHead(200, { 'content-type': 'application/json', 'content-encoding': 'gzip' })
        .end(gzipSync('{"runs":[]}'));
    };
    const { ask } = await setUp({ answers: [zip] });
    const { headers, text } = await ask(SEARCH);
    expect(text).toBe('{"runs":[]}');
    expect(headers).not.toHaveProperty('content-encoding');
  });

  it('whose answer is not what it says it is fails', async () => {
    const { ask } = await setUp({
      answers: [(_req, res) => void res.writeHead(200, { 'content-encoding': 'gzip' }).end('{}')],
    });
    await expect(ask(SEARCH)).rejects.toMatchObject({ code: 'TEMPORARILY_UNAVAILABLE' });
  });

  it('for what is not in Azure is answered here', async () => {
    const { ask, seen } = await setUp({ answers: [json(200)] });
    const { status, text } = await ask({ method: 'POST', path: '/api/3.0/mlflow/traces/search' });
    expect([status, JSON.parse(text)]).toEqual([404, expect.objectContaining({ error_code: 'ENDPOINT_NOT_FOUND' })]);
    expect(seen).toEqual([]);
  });
});

describe('a token that is refused', () => {
  it('is changed for another one, once', async () => {
    const { ask, seen, tokens } = await setUp({ answers: [bare(401), json(200, { run: {} })] });
    expect(await ask(CREATE)).toMatchObject({ status: 200 });
    expect(seen.map(({ headers }) => headers.authorization)).toEqual(['Bearer token-0', 'Bearer token-1']);
    expect(new Set(seen.map(({ headers }) => headers['x-ms-client-request-id'])).size).toBe(1);
    expect(tokens.demands).toBe(1);
  });

  it('again is said', async () => {
    const { ask, seen, failures } = await setUp({ answers: [bare(401, { 'mise-correlation-id': 'm' })] });
    const { status, text } = await ask(GET);
    expect([status, JSON.parse(text)]).toEqual([
      401,
      { error_code: 'UNAUTHENTICATED', message: expect.stringMatching(/workspace ws/) },
    ]);
    expect(seen).toHaveLength(2);
    expect(failures).toMatchObject([{ status: 401, correlationId: 'm', repeatedInMs: undefined }]);
  });

  it('is not sent again when there is no other', async () => {
    const { ask, seen } = await setUp({ answers: [bare(401)], tokens: { token: async () => 'the only one' } });
    expect(await ask(GET)).toMatchObject({ status: 401 });
    expect(seen).toHaveLength(1);
  });

  it('is not asked for anew when others have done so meanwhile', async () => {
    const held = ['old', 'new', 'new'];
    const demands: unknown[] = [];
    const tokens: TokenSource = {
      async token({ fresh } = {}) {
        if (fresh) demands.push(fresh);
        return held.shift() ?? 'none';
      },
    };
    const { ask, seen } = await setUp({ answers: [bare(401), json(200)], tokens });
    expect(await ask(GET)).toMatchObject({ status: 200 });
    expect(seen.map(({ headers }) => headers.authorization)).toEqual(['Bearer old', 'Bearer new']);
    expect(demands).toEqual([]);
  });
});

describe('a read', () => {
  it.each([408, 429, 500, 502, 503, 504, 530])('that is answered %i is made again', async (status) => {
    const { ask, seen, failures } = await setUp({ answers: [bare(status), bare(status), json(200, { runs: [] })] });
    expect(await ask(SEARCH)).toMatchObject({ status: 200, text: '{"runs":[]}' });
    expect(new Set(seen.map(({ headers }) => headers['x-ms-client-request-id'])).size).toBe(1);
    expect(failures).toMatchObject([
      { method: 'POST', path: SEARCH.path, attempt: 1, status, repeatedInMs: expect.any(Number) },
      { attempt: 2, status },
    ]);
  });

  it('is made again when the connection breaks', async () => {
    const { ask, failures } = await setUp({ answers: [hangUp, json(200, { run: {} })] });
    expect(await ask(GET)).toMatchObject({ status: 200 });
    expect(failures).toMatchObject([{ status: undefined, path: '/api/2.0/mlflow/runs/get' }]);
  });

  it('is not made for ever', async () => {
    const error = { error: { code: 'ServiceError', message: 'Down.' }, correlation: { operation: 'op' } };
    const { ask, seen, failures } = await setUp({ answers: [json(503, error, { 'retry-after': '0' })] });
    const { status, text, headers } = await ask(GET);
    expect([status, JSON.parse(text)]).toEqual([503, { error_code: 'TEMPORARILY_UNAVAILABLE', message: 'Down.' }]);
    expect(headers['retry-after']).toBe('0');
    expect(seen).toHaveLength(4);
    expect(failures.map(({ repeatedInMs }) => repeatedInMs === undefined)).toEqual([false, false, false, true]);
    expect(failures.at(-1)).toMatchObject({ operation: 'op' });
  });

  it('is not made again when it is refused, though with a 5xx', async () => {
    const refusal = { Error: { Code: 'UserError', Message: 'FieldName=x is invalid: no' } };
    const { ask, seen } = await setUp({ answers: [json(503, refusal)] });
    const { status, text } = await ask(SEARCH);
    expect([status, JSON.parse(text)]).toMatchObject([400, { error_code: 'INVALID_PARAMETER_VALUE' }]);
    expect(seen).toHaveLength(1);
  });

  it('waits as long as it is asked to', async () => {
    const { ask, failures } = await setUp({ answers: [bare(429, { 'x-ms-retry-after-ms': '150' }), json(200)] });
    const begun = performance.now();
    await ask(GET);
    expect(performance.now() - begun).toBeGreaterThan(140);
    expect(failures).toMatchObject([{ repeatedInMs: 150 }]);
  });

  it('does not wait for longer than it may take', async () => {
    const { ask, seen } = await setUp({ answers: [bare(429, { 'retry-after': '30' })] });
    expect(await ask(GET)).toMatchObject({ status: 429, headers: { 'retry-after': '30' } });
    expect(seen).toHaveLength(1);
  });

  it('is not made again when the service is silent: its time is spent', async () => {
    const { ask, seen } = await setUp({ answers: [() => {}], timeoutMs: 100 });
    await expect(ask(GET)).rejects.toMatchObject({ code: 'DEADLINE_EXCEEDED' });
    expect(seen).toHaveLength(1);
  });

  it('ends its wait when its caller leaves', async () => {
    const { ask, seen } = await setUp({ answers: [bare(429, { 'retry-after': '4' })] });
    const controller = new AbortController();
    setTimeout(() => controller.abort(), 100);
    await expect(ask({ ...GET, signal: controller.signal })).rejects.toMatchObject({ code: 'CANCELLED' });
    expect(seen).toHaveLength(1);
  });
});

describe('a write', () => {
  it.each([429, 503])('that is answered %i is made again: nothing was done', async (status) => {
    const { ask, seen } = await setUp({ answers: [bare(status), json(200)] });
    expect(await ask(CREATE)).toMatchObject({ status: 200 });
    expect(seen.map(({ body }) => body)).toEqual(['{}', '{}']);
  });

  it.each([408, 500, 502, 504, 530])('that is answered %i is not', async (status) => {
    const { ask, seen, failures } = await setUp({ answers: [bare(status), json(200)] });
    expect((await ask(CREATE)).status).toBeGreaterThanOrEqual(500);
    expect(seen).toHaveLength(1);
    expect(statuses(failures)).toEqual([status]);
  });

  it('is not made again when the connection breaks: it may have been done', async () => {
    const { ask, seen } = await setUp({ answers: [hangUp, json(200)] });
    await expect(ask(CREATE)).rejects.toMatchObject({ code: 'TEMPORARILY_UNAVAILABLE' });
    expect(seen).toHaveLength(1);
  });

  it('is made again when nobody is there to take it', async () => {
    const { ask, failures } = await setUp({ answers: [], url: `http://127.0.0.1:${await freePort()}` });
    await expect(ask(CREATE)).rejects.toMatchObject({ code: 'TEMPORARILY_UNAVAILABLE' });
    expect(statuses(failures)).toEqual([undefined, undefined, undefined, undefined]);
  });
});

it('without a token there is no request', async () => {
  const none = new Error('no token');
  const { ask, seen } = await setUp({ answers: [json(200)], tokens: { token: () => Promise.reject(none) } });
  await expect(ask(GET)).rejects.toBe(none);
  expect(seen).toEqual([]);
});
