import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { request } from 'undici';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { createRun } from '../fixtures/create-run.ts';
import { startGateway } from '../fixtures/gateway-process.ts';
import { type OpenGateway, openGateway } from '../fixtures/open-gateway.ts';
import { postJson } from '../fixtures/post-json.ts';

const API = '/api/2.0/mlflow';
const RUNS = 20;
/** Longer than an experiment, shorter than the runs. */
const FROM_BYTES = 2_000;

let mlflow: string;
let gateway: OpenGateway;
let plain: OpenGateway;
let experimentId: string;
let runId: string;
beforeAll(async () => {
  mlflow = inject('mlflowUrl');
  const settings = { upstream: { url: mlflow }, log: { level: 'warn' } } as const;
  gateway = await openGateway({ ...settings, listen: { compressFromBytes: FROM_BYTES } });
  plain = await openGateway(settings);
  const made = await postJson(`${mlflow}${API}/experiments/create`, { name: `compression-${Date.now()}` });
  experimentId = ((await made.json()) as { experiment_id: string }).experiment_id;
  for (let i = 0; i < RUNS; i++) runId = await createRun(mlflow, { experiment_id: experimentId, start_time: i });
});
afterAll(async () => {
  await gateway.close();
  await plain.close();
});

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: Buffer;
}

/** The answer as it came over the wire. */
async function ask(url: string, encoding?: string, init: { method?: 'GET' | 'POST' | 'PUT'; body?: string } = {}) {
  const headers = {
    ...(init.body !== undefined && { 'content-type': 'application/json' }),
    ...(encoding !== undefined && { 'accept-encoding': encoding }),
  };
  const { statusCode: status, headers: given, body } = await request(url, { ...init, headers });
  return { status, headers: given, body: Buffer.from(await body.arrayBuffer()) } satisfies Answer;
}

const search = (base: string, encoding?: string, id = experimentId) =>
  ask(`${base}${API}/runs/search`, encoding, {
    method: 'POST',
    body: JSON.stringify({ experiment_ids: [id] }),
  });

const upload = async (name: string, body: string) => {
  const path = `/api/2.0/mlflow-artifacts/artifacts/${experimentId}/${runId}/artifacts/${name}`;
  expect((await ask(`${mlflow}${path}`, undefined, { method: 'PUT', body })).status).toBe(200);
  return path;
};

describe('answers for clients that take them compressed', () => {
  it.each([
    ['gzip, deflate', 'gzip', gunzipSync],
    ['gzip, deflate, br', 'br', brotliDecompressSync],
  ])('are so, and else the same: %s', async (asked, encoding, decode) => {
    const direct = await search(mlflow);
    expect(direct.body.length).toBeGreaterThan(FROM_BYTES);
    for (const cache of ['', 'HIT']) {
      const answer = await search(gateway.url, asked);
      expect(answer.headers).toMatchObject({ 'content-encoding': encoding, 'content-type': 'application/json' });
      if (cache) expect(answer.headers['x-cache']).toBe(cache);
      expect(String(answer.headers.vary).split(', ')).toEqual(expect.arrayContaining(['Origin', 'Accept-Encoding']));
      expect(answer.body.length).toBeLessThan(direct.body.length / 2);
      expect(JSON.parse(decode(answer.body).toString())).toEqual(JSON.parse(direct.body.toString()));
    }
  });
});

it('answers of a gateway without MLflow are compressed alike', async () => {
  const embedded = await startGateway([], { GATEWAY_LISTEN_COMPRESS_FROM_BYTES: '100' });
  try {
    await createRun(embedded.url, { experiment_id: '0', start_time: 1 });
    const [answer, plain] = await Promise.all(
      ['gzip', undefined].map((encoding) => search(embedded.url, encoding, '0')),
    );
    expect(answer?.headers['content-encoding']).toBe('gzip');
    expect(gunzipSync(answer?.body ?? '')).toEqual(plain?.body);
  } finally {
    await embedded.stop();
  }
});

describe('answers that come as they are', () => {
  it.each([undefined, 'identity', 'gzip;q=0', 'compress'])('because the client asks so: %s', async (asked) => {
    const answer = await search(gateway.url, asked);
    expect(answer.headers['content-encoding']).toBeUndefined();
    expect(answer.body).toEqual((await search(plain.url)).body);
  });

  it('because they are short', async () => {
    const short = await ask(`${gateway.url}${API}/experiments/get?experiment_id=${experimentId}`, 'gzip');
    expect(short.status).toBe(200);
    expect(short.body.length).toBeLessThan(FROM_BYTES);
    expect(short.headers['content-encoding']).toBeUndefined();
  });

  it('because MLflow gives them', async () => {
    const path = await upload('a.json', JSON.stringify('x'.repeat(2 * FROM_BYTES)));
    for (const url of [path, `/get-artifact?run_uuid=${runId}&path=a.json`]) {
      const direct = await ask(`${mlflow}${url}`);
      const through = await ask(`${gateway.url}${url}`, 'gzip');
      expect(direct.status).toBe(200);
      expect(through.headers['content-encoding']).toBeUndefined();
      expect(through.body).toEqual(direct.body);
    }
  });

  it('unless the gateway is told to compress', async () => {
    const answer = await search(plain.url, 'gzip');
    expect(answer.headers['content-encoding']).toBeUndefined();
    expect(answer.headers['content-length']).toBe(String(answer.body.length));
  });
});
