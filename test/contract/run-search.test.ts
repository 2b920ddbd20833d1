import { describe, inject } from 'vitest';
import { AzureClient, createAzureRunAdapter, workspaceAddress } from '../../adapters/azureml/index.ts';
import { createMlflowAdapter } from '../../adapters/mlflow/index.ts';
import { splitRuns } from '../../src/domain/run-text.ts';
import type { RunAdapter } from '../../src/plan/adapter.ts';
import { completeScan } from '../../src/plan/complete-scan.ts';
import { mergeScans } from '../../src/plan/merge-scans.ts';
import { UpstreamClient } from '../../src/upstream/upstream-client.ts';
import { toExperimentGuid } from '../azureml-stand-in/ids.ts';
import type { Rules } from '../azureml-stand-in/rules.ts';
import { startAzureMlStandIn } from '../azureml-stand-in/start-azure-ml-stand-in.ts';
import { elasticsearchOptions, newElasticsearchPlace } from '../fixtures/elasticsearch-place.ts';
import { fillIndex } from '../fixtures/fill-index.ts';
import type { IndexPlace } from '../fixtures/index-place.ts';
import { loadCases } from '../fixtures/load-cases.ts';
import { runIdAt } from '../fixtures/plain-run.ts';
import { runJson } from '../fixtures/run-json.ts';
import { runQuery } from '../fixtures/run-query.ts';
import { type CaseRun, toRun } from '../fixtures/search-cases.ts';
import { newSqlitePlace } from '../fixtures/sqlite-place.ts';
import { itAnswersRunSearches, type LoadedSource } from './run-search.ts';

describe('Elasticsearch', () => itAnswersRunSearches(openElasticsearch, { anyTree: true, randomQueries: 300 }));

describe('SQLite', () => itAnswersRunSearches(openSqlite, { anyTree: true, randomQueries: 1_000 }));

describe('MLflow', () => itAnswersRunSearches(openMlflow));

/** The doubtful rules of the stand-in, each the other way round. */
const DOUBTS: Readonly<Record<string, Partial<Rules>>> = {
  'with statuses in upper case, too': { upperCaseStatus: true },
  'without filters on the status': { statusFilterRefused: true },
  'without LIKE': { likeRefused: true },
  'whose texts are equal whatever their case': { equalityIgnoresCase: true, likeIgnoresCase: true },
  'that finds what lacks the key, too': { notEqualFindsAbsent: true },
  'with short pages, some of them empty': { shortPages: true, emptyPages: true },
  'that knows no other filter by its token, and leaves out what is not there': {
    boundTokens: false,
    unknownExperimentsRefused: false,
  },
  'with ties by run id': { randomTies: false, newestFirst: false },
};
/** All at once; each by itself takes minutes. */
const AZURE: Readonly<Record<string, Partial<Rules>>> = {
  'as documented': {},
  ...(process.env.EVERY_DOUBT ? DOUBTS : { 'with every doubt': Object.assign({}, ...Object.values(DOUBTS)) }),
};
const NAMED = 'Azure gives every run its name as a tag';
const NAMED_RUNS = { 'run_name ne uses the tag': NAMED, 'run_name of a run without its tag': NAMED };

describe.each(Object.entries(AZURE))('Azure ML %s', (_, rules) =>
  itAnswersRunSearches((dataset) => openAzureMl(dataset, rules), { anyTree: true, differs: NAMED_RUNS }),
);

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

/** Of a stand-in over MLflow, whose runs are those that the adapter gives when nothing is asked of them. */
async function openAzureMl(dataset: readonly CaseRun[], rules: Partial<Rules>): Promise<LoadedSource> {
  const upstream = inject('mlflowUrl');
  const { experimentIdOf } = await loadCases(upstream, dataset);
  const standIn = await startAzureMlStandIn({ upstream, rules });
  const client = new AzureClient({
    address: workspaceAddress({ trackingUri: standIn.trackingUri }, { cloud: 'public' }),
    tokens: { token: async () => standIn.issueToken() },
    timeoutMs: 30_000,
    connections: 4,
    caFile: standIn.caFile,
  });
  const native = createAzureRunAdapter(client, { name: 'azure' });
  const adapter: RunAdapter = {
    ...native,
    pushDown(query) {
      const completion = { source: 'azure', budget: { maxRuns: 100_000, maxMs: 60_000, maxCharacters: 1e8 } };
      return mergeScans(new Map([['azure', completeScan(native.pushDown(query), query, completion)]]), query);
    },
  };
  const ids = new Map([...experimentIdOf].map(([label, id]) => [label, toExperimentGuid(id)]));
  const all = runQuery({ experimentIds: [...ids.values()], view: 'all' });
  const { runs } = await adapter
    .pushDown(all)
    .fetch({ limit: 1_000, from: { offset: 0 } }, AbortSignal.timeout(30_000));
  const close = async () => {
    await client.close();
    await standIn.stop();
  };
  return { adapter, runs: runs.map(String), experimentIdOf: ids, close };
}
