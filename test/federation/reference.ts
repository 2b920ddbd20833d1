import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { buffer } from 'node:stream/consumers';
import { createExperiments, loadRun, post } from '../fuzz/load-runs.ts';
import type { RunPlan } from '../fuzz/make-runs.ts';
import { startMlflow } from '../services/mlflow.ts';

/** What is behind the gateway, by the ids of outside. */
export interface Whole {
  /** One for each experiment of the plans. */
  readonly experimentIds: readonly string[];
  readonly plans: readonly RunPlan[];
  /** One for each plan. */
  readonly runs: readonly { readonly id: string; readonly artifactUri: string; readonly parent: string | undefined }[];
}

/**
 * One MLflow server that holds everything, written by the same calls, with the ids of outside in its database. Experiments have
 * numbers there, so what stands in front of it puts the ids of outside into requests and answers.
 */
export async function openReference({ experimentIds, plans, runs }: Whole) {
  const folder = await mkdtemp(join(tmpdir(), 'federation-'));
  const file = join(folder, 'reference.db');
  const mlflow = await startMlflow({ workers: 2, backendStoreUri: `sqlite:///${file}` });
  // Number 1 is in some searches, and is nothing to be found anywhere.
  await createExperiments(mlflow.url, 1, 'nothing');
  const own = await createExperiments(mlflow.url, experimentIds.length, 'federation');
  const ids: string[] = [];
  for (const [at, plan] of plans.entries()) {
    const id = await loadRun(mlflow.url, plan, own);
    const parent = runs[at]?.parent;
    if (parent) await post(mlflow.url, 'runs/set-tag', { run_id: id, key: 'mlflow.parentRunId', value: parent });
    ids.push(id);
  }
  rename(
    file,
    ids.map((from, at) => ({ from, to: runs[at]?.id ?? from, uri: runs[at]?.artifactUri ?? '' })),
  );
  const front = await openFront(mlflow.url, new Map(experimentIds.map((id, at) => [id, own[at] ?? ''])));
  const stop = async () => {
    front.close();
    await mlflow.stop();
    await rm(folder, { recursive: true });
  };
  return { url: front.url, stop };
}

interface Renaming {
  readonly from: string;
  readonly to: string;
  readonly uri: string;
}

function rename(file: string, pairs: readonly Renaming[]): void {
  const database = new DatabaseSync(file, { enableForeignKeyConstraints: false });
  database.exec('PRAGMA busy_timeout = 10000');
  const tables = ['runs', 'metrics', 'latest_metrics', 'params', 'tags'];
  database.exec('BEGIN IMMEDIATE');
  for (const { from, to, uri } of pairs) {
    for (const table of tables) database.prepare(`UPDATE ${table} SET run_uuid = ? WHERE run_uuid = ?`).run(to, from);
    database
      .prepare("UPDATE inputs SET destination_id = ? WHERE destination_id = ? AND destination_type = 'RUN'")
      .run(to, from);
    database.prepare('UPDATE runs SET artifact_uri = ? WHERE run_uuid = ?').run(uri, to);
  }
  database.exec('COMMIT');
  database.close();
}

async function openFront(target: string, numbers: ReadonlyMap<string, string>) {
  const ids = new Map([...numbers].map(([id, number]) => [number, id]));
  const server = createServer(async (req, res) => {
    const body = await buffer(req);
    const { 'content-type': type = '' } = req.headers;
    const answer = await fetch(`${target}${req.url}`, {
      method: 'POST',
      headers: { 'content-type': type },
      body: withNumbers(body.toString(), numbers),
    });
    const text = (await answer.text()).replace(
      /("experiment_id": )"(\d+)"/g,
      (_, key: string, number: string) => `${key}"${ids.get(number) ?? number}"`,
    );
    res.writeHead(answer.status, { 'content-type': answer.headers.get('content-type') ?? '' }).end(text);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const close = () => {
    server.closeAllConnections();
    server.close();
  };
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, close };
}

/** A search with the numbers of its experiments: they come as text in a list, or are none. */
function withNumbers(text: string, numbers: ReadonlyMap<string, string>): string {
  const body = JSON.parse(text) as Record<string, unknown>;
  const { experiment_ids: asked } = body;
  if (!Array.isArray(asked)) return text;
  return JSON.stringify({ ...body, experiment_ids: asked.map((id: unknown) => numbers.get(String(id)) ?? id) });
}
