import { type Browser, chromium } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import { createRun } from '../fixtures/create-run.ts';
import { type GatewayProcess, startGateway } from '../fixtures/gateway-process.ts';
import { MlflowUi, PATIENCE } from '../fixtures/mlflow-ui.ts';
import { openGateway } from '../fixtures/open-gateway.ts';
import { post } from '../fuzz/load-runs.ts';
import { installChromium } from '../services/chromium.ts';

const QUIET = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];
const EXPERIMENT = `seen-in-the-ui-${process.pid}-${Date.now()}`;
const NEWEST_FIRST = ['ui-run-0', 'ui-run-1', 'ui-run-2', 'ui-run-3', 'ui-run-4', 'ui-run-5'];

let gateway: GatewayProcess;
let browser: Browser;
let experimentId: string;

beforeAll(async () => {
  const flags = ['--upstream', inject('mlflowUrl'), '--elasticsearch', inject('elasticsearchUrl')];
  gateway = await startGateway(flags, { GATEWAY_LOG_LEVEL: 'warn', GATEWAY_ELASTICSEARCH_INDEX: `ui-${process.pid}` });
  browser = await chromium.launch({ executablePath: await installChromium(), args: QUIET });
  experimentId = await makeRuns();
});

afterAll(async () => {
  await browser?.close();
  await gateway?.stop();
});

const write = (path: string, body: unknown) => post(gateway.url, path, body);

/** An experiment with six runs, started a minute apart; the older, the more accurate: 0.55, 0.65 and so on. */
async function makeRuns(): Promise<string> {
  const { experiment_id } = await write('experiments/create', { name: EXPERIMENT });
  for (const [age, run_name] of NEWEST_FIRST.entries()) await makeRun(`${experiment_id}`, run_name, age);
  return `${experiment_id}`;
}

async function makeRun(experiment_id: string, run_name: string, age: number): Promise<void> {
  const start_time = Date.now() - age * 60_000;
  const run_id = await createRun(gateway.url, { experiment_id, run_name, start_time });
  await write('runs/log-batch', {
    run_id,
    metrics: [{ key: 'accuracy', value: (55 + 10 * age) / 100, timestamp: start_time, step: 0 }],
    params: [{ key: 'optimizer', value: age % 2 ? 'adam' : 'sgd' }],
  });
  await write('runs/update', { run_id, status: 'FINISHED', end_time: start_time + 1000 });
}

it("MLflow's UI shows runs below a path prefix", { timeout: 60_000 }, async () => {
  const upstream = { url: inject('mlflowUrl') };
  const listen = { pathPrefix: '/tracking/mlflow' };
  const below = await openGateway({ upstream, listen, dialect: 'sqlite', log: { level: 'silent' } });
  const ui = await MlflowUi.open(browser, `${below.url}/tracking/mlflow`);
  try {
    await ui.showRuns(experimentId);
    await ui.expectRuns(NEWEST_FIRST);
    expect(ui.broken).toEqual([]);
  } finally {
    await ui.page.close();
    await below.close();
  }
});

describe.each(['127.0.0.1', 'localhost'])("MLflow's UI, opened as http://%s", { timeout: 180_000 }, (host) => {
  let ui: MlflowUi;

  beforeEach(async () => {
    ui = await MlflowUi.open(browser, gateway.url.replace('127.0.0.1', host));
    const answer = await ui.showRuns(experimentId);
    expect(answer.headers()['x-gateway-source']).toMatch(/^(index|cache)$/);
    await ui.expectRuns(NEWEST_FIRST);
  });

  afterEach(async () => {
    await ui?.page.close();
    expect(ui?.broken).toEqual([]);
  });

  it('shows the runs that a filter typed into the search box finds, and only them', async () => {
    const answer = await ui.filterRuns('metrics.accuracy > 0.8');
    expect(answer.headers()['x-gateway-source']).toMatch(/^(index|cache)$/);
    await ui.expectRuns(['ui-run-3', 'ui-run-4', 'ui-run-5']);
    await ui.filterRuns("metrics.accuracy > 0.8 AND params.optimizer = 'sgd'");
    await ui.expectRuns(['ui-run-4']);
  });

  it("shows MLflow's words about a filter that is none", async () => {
    const answer = await ui.filterRuns("metrics.accuracy > 'high'");
    expect(answer.status()).toBe(400);
    await ui.page.getByRole('heading', { name: 'Request error' }).waitFor();
    await ui.page.getByText("Expected numeric value type for metric. Found 'high'").waitFor();
    expect(await ui.runNames()).toEqual([]);
  });

  it('shows the params and metrics of a run', async () => {
    await ui.openRun('ui-run-3');
    await ui.page.getByRole('row', { name: 'accuracy 0.85', exact: true }).waitFor();
    await ui.page.getByRole('row', { name: 'optimizer adam', exact: true }).waitFor();
    await ui.page.getByRole('status').filter({ hasText: 'Finished' }).waitFor();
  });

  it('shows a new name in the table right after the run was renamed', async () => {
    await ui.openRun('ui-run-0');
    await ui.renameRun('ui-run-renamed');
    await ui.showRuns(experimentId);
    await ui.expectRuns(['ui-run-renamed', ...NEWEST_FIRST.slice(1)]);
    await ui.openRun('ui-run-renamed');
    await ui.renameRun('ui-run-0');
    await ui.showRuns(experimentId);
    await ui.expectRuns(NEWEST_FIRST);
  });

  it('finds the experiment by its name', async () => {
    const answer = await ui.findExperiment(EXPERIMENT);
    expect(answer.headers()['x-gateway-source']).toMatch(/^(backend|cache)$/);
    await ui.page.getByRole('table').getByRole('link', { name: EXPERIMENT }).waitFor();
    await expect.poll(() => ui.page.getByRole('row').count(), PATIENCE).toBe(2); // its own and the heading
  });
});
