import type { SearchLoad } from '../search-load.ts';
import type { WorkersResult } from '../workers.ts';
import { spread, table, times } from './markdown.ts';

export type WorkersSection = { readonly runs: number } & WorkersResult;

export function describeWorkers({ runs, clients, searches, rounds, index, hits }: WorkersSection): string {
  const row = (name: string, load: SearchLoad, one: SearchLoad) => [
    name,
    load.perSecond.toFixed(0),
    load === one ? '' : times(load.perSecond / one.perSecond),
    spread(load),
    `${load.failed}`,
  ];
  return `## Workers

${clients} clients at once, ${searches} searches in turn, ${runs} runs, medians of ${rounds} rounds in turns. Elasticsearch, Redis and
the clients share the processors with the gateway.

${table(
  ['answers', 'a second', 'times one worker', 'ms', 'failed'],
  [
    row('from the index, 1 worker', index.one, index.one),
    row('from the index, 2 workers', index.two, index.one),
    row('from Redis, 1 worker', hits.one, hits.one),
    row('from Redis, 2 workers', hits.two, hits.one),
  ],
)}`;
}
