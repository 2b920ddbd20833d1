import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import { createRun } from '../fixtures/create-run.ts';
import { type OpenGateway, openGateway } from '../fixtures/open-gateway.ts';
import { OwnServer } from '../fixtures/own-server.ts';
import { createExperiments, post } from '../fuzz/load-runs.ts';

const LISTEN = { pathPrefix: '/tracking/mlflow' };
const QUIET = { dialect: 'sqlite', log: { level: 'silent' } } as const;

const ask = (url: string, init?: RequestInit) => fetch(url, { redirect: 'manual', ...init });

describe('below a path prefix', () => {
  const mlflow = inject('mlflowUrl');
  let gateway: OpenGateway;
  let base: string;
  beforeAll(async () => {
    gateway = await openGateway({ ...QUIET, upstream: { url: mlflow }, listen: LISTEN });
    base = gateway.url + LISTEN.pathPrefix;
  });
  afterAll(() => gateway.close());

  it('a run can be written, and is read from the cache until it is written again', async () => {
    const [experiment_id = ''] = await createExperiments(base, 1, 'below');
    const runId = await createRun(base, { experiment_id });
    const path = `/api/2.0/mlflow/runs/get?run_id=${runId}`;
    for (const name of ['first', 'second']) {
      await post(base, 'runs/update', { run_id: runId, run_name: name });
      for (const cache of ['MISS', 'HIT']) {
        const answer = await ask(base + path);
        expect(answer.headers.get('x-cache')).toBe(cache);
        expect(await answer.text()).toBe(await (await ask(mlflow + path)).text());
      }
    }
  });

  it("the gateway's own pages are there too", async () => {
    expect((await ask(`${base}/gateway/readyz`)).status).toBe(200);
  });

  it('what is not below it is not there', async () => {
    for (const path of [
      '/',
      '/health',
      '/tracking',
      '/tracking/mlflowx',
      '/tracking/%6dlflow/health',
      '/gateway/readyz',
    ]) {
      const answer = await ask(gateway.url + path);
      const error = { error_code: 'ENDPOINT_NOT_FOUND', message: 'Everything here is below /tracking/mlflow/.' };
      expect([path, answer.status, await answer.json()]).toEqual([path, 404, expect.objectContaining(error)]);
    }
  });

  it.each(['', '?x=1'])('the prefix itself leads to the first page: %s', async (query) => {
    const answer = await ask(base + query);
    expect([answer.status, answer.headers.get('location')]).toEqual([308, `/tracking/mlflow/${query}`]);
    expect((await ask(`${base}/${query}`)).headers.get('content-type')).toMatch('text/html');
  });
});

describe('a redirect, below a path prefix', () => {
  let upstream: OwnServer;
  let gateway: OpenGateway;
  let location: string;
  beforeAll(async () => {
    upstream = await OwnServer.start();
    upstream.answer((_req, res) => void res.writeHead(401).end());
    gateway = await openGateway({ ...QUIET, upstream: { url: `${upstream.url}/above` }, listen: LISTEN });
  });
  beforeEach(() => {
    upstream.answer(({ url }, res) => void res.writeHead(url === '/above/x' ? 308 : 500, { location }).end());
  });
  afterAll(async () => {
    await gateway.close();
    await upstream.stop();
  });

  it.each([
    ['to the backend', () => `${upstream.url}/above/there?x=1`, () => `${gateway.url}/tracking/mlflow/there?x=1`],
    ['to a path of it', () => '/above/there?x=1', () => '/tracking/mlflow/there?x=1'],
    ['to a path beside', () => '/there', () => '/tracking/mlflow/there'],
    ['elsewhere', () => '//elsewhere.example/above/there', () => '//elsewhere.example/above/there'],
    ['to a place nearby', () => 'there', () => 'there'],
  ])('%s is one that the caller can follow', async (_, to, seen) => {
    location = to();
    const answer = await ask(`${gateway.url}/tracking/mlflow/x`);
    expect([answer.status, answer.headers.get('location')]).toEqual([308, seen()]);
  });
});
