import { describe, inject } from 'vitest';
import { deleteIndex, elasticsearchOptions, fill, openIndex } from '../fixtures/elasticsearch-index.ts';
import { runJson } from '../fixtures/run-json.ts';
import { type CaseRun, toRun } from '../fixtures/search-cases.ts';
import { itAnswersRunSearches, type LoadedSource } from './run-search.ts';

describe('Elasticsearch', () => itAnswersRunSearches(openElasticsearch, { anyTree: true, randomQueries: 300 }));

async function openElasticsearch(dataset: readonly CaseRun[]): Promise<LoadedSource> {
  const options = elasticsearchOptions(inject('elasticsearchUrl'));
  const index = await openIndex(options);
  const labels = [...new Set(dataset.map(({ experiment }) => experiment))];
  const experimentIdOf = new Map(labels.map((label, at) => [label, String(at + 1)]));
  const idOf = (at: number) => at.toString(16).padStart(32, '0');
  const runs = dataset.map((row, at) => runJson(toRun(row, idOf(at), experimentIdOf.get(row.experiment) ?? '')));
  await fill(index, runs);
  const close = async () => {
    await index.close();
    await deleteIndex(options);
  };
  return { adapter: index, runs, experimentIdOf, close };
}
