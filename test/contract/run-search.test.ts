import { describe, inject } from 'vitest';
import { createMlflowAdapter } from '../../adapters/mlflow/index.ts';
import { splitRuns } from '../../src/domain/run-text.ts';
import { UpstreamClient } from '../../src/upstream/upstream-client.ts';
import { elasticsearchOptions, newElasticsearchPlace } from '../fixtures/elasticsearch-place.ts';
import { fillIndex } from '../fixtures/fill-index.ts';
import type { IndexPlace } from '../fixtures/index-place.ts';
import { loadCases } from '../fixtures/load-cases.ts';
import { runIdAt } from '../fixtures/plain-run.ts';
import { runJson } from '../fixtures/run-json.ts';
import { type CaseRun, toRun } from '../fixtures/search-cases.ts';
import { newSqlitePlace } from '../fixtures/sqlite-place.ts';
import { itAnswersRunSearches, type LoadedSource } from './run-search.ts';

describe('Elasticsearch', () => itAnswersRunSearches(openElasticsearch, { anyTree: true, randomQueries: 300 }));

describe('SQLite', () => itAnswersRunSearches(openSqlite, { anyTree: true, randomQueries: 1_000 }));

describe('MLflow', () => itAnswersRunSearches(openMlflow));

const openElasticsearch = (dataset: readonly CaseRun[]) =>
  loadIndex(newElasticsearchPlace(elasticsearchOptions(inject('elasticsearchUrl'))), dataset);

const openSqlite = async (dataset: readonly CaseRun[]) => loadIndex(await newSqlitePlace(), dataset);

async function loadIndex(place: IndexPlace, dataset: readonly CaseRun[]): Promise<LoadedSource> {
  const index = await place.open();
  const labels = [...new Set(dataset.map(({ experiment }) => experiment))];
  const experimentIdOf = new Map(labels.map((label, at) => [label, String(at + 1)]));
  const runs = dataset.map((row, at) => runJson(toRun(row, runIdAt(at), experimentIdOf.get(row.experiment) ?? '')));
  await fillIndex(index, runs);
  return { adapter: index, runs, experimentIdOf, close: () => place.leave() };
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
