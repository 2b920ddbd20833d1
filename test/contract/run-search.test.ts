import { describe, inject } from 'vitest';
import { createMlflowAdapter } from '../../adapters/mlflow/index.ts';
import { splitRuns } from '../../src/domain/run-text.ts';
import type { RunsIndex } from '../../src/plan/runs-index.ts';
import { UpstreamClient } from '../../src/upstream/upstream-client.ts';
import { deleteIndex, elasticsearchOptions, fill, openIndex } from '../fixtures/elasticsearch-index.ts';
import { loadCases } from '../fixtures/load-cases.ts';
import { runJson } from '../fixtures/run-json.ts';
import { type CaseRun, toRun } from '../fixtures/search-cases.ts';
import { openSqliteIndex } from '../fixtures/sqlite-index.ts';
import { itAnswersRunSearches, type LoadedSource } from './run-search.ts';

describe('Elasticsearch', () => itAnswersRunSearches(openElasticsearch, { anyTree: true, randomQueries: 300 }));

describe('SQLite', () => itAnswersRunSearches(openSqlite, { anyTree: true, randomQueries: 1_000 }));

describe('MLflow', () => itAnswersRunSearches(openMlflow));

async function openElasticsearch(dataset: readonly CaseRun[]): Promise<LoadedSource> {
  const options = elasticsearchOptions(inject('elasticsearchUrl'));
  return loadIndex(await openIndex(options), dataset, () => deleteIndex(options));
}

async function openSqlite(dataset: readonly CaseRun[]): Promise<LoadedSource> {
  const { index, remove } = await openSqliteIndex();
  return loadIndex(index, dataset, remove);
}

async function loadIndex(
  index: RunsIndex,
  dataset: readonly CaseRun[],
  remove: () => Promise<void>,
): Promise<LoadedSource> {
  const labels = [...new Set(dataset.map(({ experiment }) => experiment))];
  const experimentIdOf = new Map(labels.map((label, at) => [label, String(at + 1)]));
  const idOf = (at: number) => at.toString(16).padStart(32, '0');
  const runs = dataset.map((row, at) => runJson(toRun(row, idOf(at), experimentIdOf.get(row.experiment) ?? '')));
  await fill(index, runs);
  const close = async () => {
    await index.close();
    await remove();
  };
  return { adapter: index, runs, experimentIdOf, close };
}

async function openMlflow(dataset: readonly CaseRun[]): Promise<LoadedSource> {
  const url = inject('mlflowUrl');
  const { experimentIdOf } = await loadCases(url, dataset);
  const client = new UpstreamClient({ url, timeoutMs: 30_000, connections: 4 });
  const answer = await client.request({
    method: 'POST',
    path: '/api/2.0/mlflow/runs/search',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ experiment_ids: [...experimentIdOf.values()], run_view_type: 'ALL' }),
  });
  const { runs } = splitRuns(answer.body.toString());
  return { adapter: createMlflowAdapter(client), runs, experimentIdOf, close: () => client.close() };
}
