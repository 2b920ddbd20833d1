import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { type OpenGateway, openGateway } from '../fixtures/open-gateway.ts';
import { postJson } from '../fixtures/post-json.ts';
import { UnreliableProxy } from '../fixtures/unreliable-proxy.ts';
import { createExperiments, loadRun } from '../fuzz/load-runs.ts';
import { makeRuns } from '../fuzz/make-runs.ts';
import { Random } from '../fuzz/random.ts';
import type { Service } from '../services/launch.ts';
import { startMlflow } from '../services/mlflow.ts';

const API = '/api/2.0/mlflow';
const TIMEOUT_MS = 1_500;

let lab: Pick<Service, 'url' | 'stop'>;
let proxy: UnreliableProxy;
let failing: OpenGateway;
let allowing: OpenGateway;
let here: string;
let there: string;
let names: string;

beforeAll(async () => {
  const running = process.env.TEST_SECOND_MLFLOW;
  lab = running ? { url: running, stop: async () => {} } : await startMlflow();
  proxy = await UnreliableProxy.start(lab.url);
  const common = {
    upstream: { url: inject('mlflowUrl') },
    backends: { lab: { url: proxy.url } },
    // Else it had answers of a backend that is away.
    cache: { store: 'none' },
    log: { level: 'silent' },
  } as const;
  failing = await openGateway({ ...common, federation: { timeoutMs: TIMEOUT_MS } });
  allowing = await openGateway({ ...common, federation: { timeoutMs: TIMEOUT_MS, partial: 'allow' } });
  names = `faults ${Date.now()}`;
  [here = ''] = await createExperiments(failing.url, 1, names);
  [there = ''] = await createExperiments(failing.url, 1, `lab/${names}`);
  for (const plan of makeRuns(new Random(1), 6, 1)) await loadRun(failing.url, { ...plan, deleted: false }, [here]);
  for (const plan of makeRuns(new Random(2), 6, 1)) await loadRun(failing.url, { ...plan, deleted: false }, [there]);
});
afterAll(async () => {
  await failing?.close();
  await allowing?.close();
  await proxy?.stop();
  await lab?.stop();
});

interface Found {
  readonly runs?: readonly { info: { experiment_id: string } }[];
  readonly experiments?: readonly { name: string }[];
  readonly error_code?: string;
  readonly message?: string;
}

async function ask(gateway: OpenGateway, what: 'runs' | 'experiments', more: object = {}) {
  const begun = performance.now();
  const body = { runs: { experiment_ids: [here, there] }, experiments: { filter: `name LIKE '%${names}%'` } }[what];
  const answer = await postJson(`${gateway.url}${API}/${what}/search`, { max_results: 100, ...body, ...more });
  const found = (await answer.json()) as Found;
  return {
    status: answer.status,
    missing: answer.headers.get('x-gateway-missing'),
    found,
    count: (found.runs ?? found.experiments ?? []).length,
    ms: performance.now() - begun,
  };
}

describe('a backend among several', () => {
  const unwell = [
    ['refuses for a while', { status: 429, headers: { 'retry-after': '1' } }],
    ['is away', { status: 503 }],
    ['is cut off in the middle', { cut: 'announced' }],
    ['says nothing', { after: new Promise<void>(() => {}) }],
  ] as const;

  it('is asked with the others', async () => {
    expect(await ask(failing, 'runs')).toMatchObject({ status: 200, count: 12, missing: null });
    expect(await ask(failing, 'experiments')).toMatchObject({ status: 200, count: 2, missing: null });
  });

  it.each(unwell)('%s: a search over all says so, or has the rest', async (_, mishap) => {
    proxy.misbehave(() => mishap);
    try {
      for (const what of ['runs', 'experiments'] as const) {
        const more = { order_by: [what === 'runs' ? 'start_time' : 'name'] };
        const refused = await ask(failing, what, more);
        expect(refused).toMatchObject({ status: 503, found: { error_code: 'TEMPORARILY_UNAVAILABLE' } });
        expect(refused.found.message).toContain("'lab'");
        expect(refused.ms).toBeLessThan(TIMEOUT_MS + 2_000);
        const partial = await ask(allowing, what, more);
        expect(partial).toMatchObject({ status: 200, missing: 'lab', count: what === 'runs' ? 6 : 1 });
        expect(partial.ms).toBeLessThan(TIMEOUT_MS + 2_000);
      }
    } finally {
      proxy.misbehave();
    }
    expect(await ask(allowing, 'runs')).toMatchObject({ status: 200, missing: null, count: 12 });
  });

  it('refuses what nobody can answer, whoever else could', async () => {
    const refused = await ask(allowing, 'runs', { filter: 'metrics.a > "x"' });
    expect(refused).toMatchObject({ status: 400, missing: null });
  });

  it('is no matter to searches of the others', async () => {
    proxy.misbehave(() => ({ status: 503 }));
    try {
      const body = { experiment_ids: [here], max_results: 99 };
      const answer = await postJson(`${failing.url}${API}/runs/search`, body);
      expect(answer.status).toBe(200);
      expect(((await answer.json()) as Found).runs).toHaveLength(6);
    } finally {
      proxy.misbehave();
    }
  });

  it('is in the status, and has metrics of its own', async () => {
    const status = await (await fetch(`${failing.url}/gateway/status`)).json();
    expect(status).toMatchObject({
      upstream: { url: inject('mlflowUrl') },
      backends: { lab: { upstream: { url: proxy.url } } },
    });
    const metrics = await (await fetch(`${failing.url}/gateway/metrics?backend=lab`)).text();
    expect(metrics).toMatch(/gateway_requests_total\{route="runs\/search"/);
  });
});
