import { type Browser, chromium } from 'playwright-core';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { createRun } from '../fixtures/create-run.ts';
import { MlflowUi } from '../fixtures/mlflow-ui.ts';
import { type OpenGateway, openGateway } from '../fixtures/open-gateway.ts';
import { post } from '../fuzz/load-runs.ts';
import { installChromium } from '../services/chromium.ts';
import type { Service } from '../services/launch.ts';
import { startMlflow } from '../services/mlflow.ts';

const NAME = `ui of several ${process.pid} ${Date.now()}`;

let lab: Pick<Service, 'url' | 'stop'>;
let gateway: OpenGateway;
let browser: Browser;
const ids: string[] = [];

beforeAll(async () => {
  const running = process.env.TEST_SECOND_MLFLOW;
  lab = running ? { url: running, stop: async () => {} } : await startMlflow();
  gateway = await openGateway({
    upstream: { url: inject('mlflowUrl') },
    backends: { lab: { url: lab.url } },
    log: { level: 'silent' },
  });
  browser = await chromium.launch({
    executablePath: await installChromium(),
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking'],
  });
  for (const name of [NAME, `lab/${NAME}`]) {
    const { experiment_id } = await post(gateway.url, 'experiments/create', { name });
    ids.push(String(experiment_id));
    for (const at of [0, 1]) await makeRun(String(experiment_id), `ui-run-${at}`, at);
  }
});
afterAll(async () => {
  await browser?.close();
  await gateway?.close();
  await lab?.stop();
});

async function makeRun(experiment_id: string, run_name: string, at: number): Promise<void> {
  const start_time = Date.now() - at * 60_000;
  const run_id = await createRun(gateway.url, { experiment_id, run_name, start_time });
  const metrics = [0, 1, 2].map((step) => ({
    key: 'accuracy',
    value: 0.5 + at / 10,
    timestamp: start_time + step,
    step,
  }));
  await post(gateway.url, 'runs/log-batch', { run_id, metrics, params: [{ key: 'optimizer', value: 'adam' }] });
  await post(gateway.url, 'runs/update', { run_id, status: 'FINISHED', end_time: start_time + 1_000 });
  const path = `${experiment_id}/${run_id.replace(/^\w+-/, '')}/artifacts/notes.txt`;
  const stored = await fetch(`${gateway.url}/api/2.0/mlflow-artifacts/artifacts/${path}`, {
    method: 'PUT',
    body: 'seen',
  });
  expect(stored.status).toBe(200);
}

it("MLflow's UI lists, opens, plots and downloads what is in another backend", { timeout: 180_000 }, async () => {
  const ui = await MlflowUi.open(browser, gateway.url);
  const refused: string[] = [];
  ui.page.on('response', (answer) => {
    // Of servers with users alone.
    if (answer.url().endsWith('/users/current')) return;
    if (answer.status() >= 400) refused.push(`${answer.status()} ${answer.request().method()} ${answer.url()}`);
  });
  await ui.page.goto(`${gateway.url}/#/experiments`);
  await ui.page.getByRole('textbox', { name: 'Search experiments' }).fill(NAME);
  await ui.page.getByRole('button', { name: 'Search', exact: true }).click();
  for (const name of [NAME, `lab/${NAME}`])
    await ui.page.getByRole('table').getByRole('link', { name, exact: true }).waitFor();
  await ui.showRuns(ids[1] ?? '');
  await ui.expectRuns(['ui-run-0', 'ui-run-1']);
  const charts = ui.page.waitForResponse((answer) => answer.url().includes('get-history-bulk-interval'));
  await ui.openRun('ui-run-1');
  await ui.page.getByRole('row', { name: 'accuracy 0.6', exact: true }).waitFor();
  await ui.page.getByRole('row', { name: 'optimizer adam', exact: true }).waitFor();
  await ui.page.getByRole('tab', { name: 'Model metrics' }).click();
  expect((await charts).status()).toBe(200);
  await ui.page.getByRole('tab', { name: 'Artifacts' }).click();
  await ui.page.getByText('notes.txt').first().click();
  await ui.page.getByText('seen', { exact: true }).waitFor();
  expect(refused).toEqual([]);
  expect(ui.broken).toEqual([]);
  await ui.page.close();
});
