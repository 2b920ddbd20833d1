import type { FeedResult, Way } from '../feed.ts';
import { ms, spread, table } from './markdown.ts';

export type FeedSection = { readonly runs: number; readonly samples: number } & FeedResult;

export function describeFeed({ samples, batches, comparing, pairs }: FeedSection): string {
  const batchRows = Object.entries(batches).map(([way, spent]) => [
    BATCH_WAYS[way as Way],
    spread(spent),
    way === 'mlflow' ? '' : ms(spent.p50 - batches.plain.p50),
    way === 'mlflow' ? '' : ms(spent.p95 - batches.plain.p95),
  ]);
  const pairRows = Object.entries(pairs).map(([reading, spent]) => [reading, spread(spent), `${spent.misses}`]);
  return `## Keeping an index

One \`log-batch\` of 10 metrics after the other, at least ${samples} a way, in blocks in turns. Times in ms: p50 / p95 / p99.

${table(['log-batch', 'ms', 'p50 over no index', 'p95 over no index'], batchRows)}

The same for over a minute, without an index and with one that the gateway compares with MLflow meanwhile, as it does by itself.

${table(
  ['log-batch', 'ms', 'p50 over no index', 'p95 over no index'],
  [
    ['gateway without index', spread(comparing.plain), '', ''],
    [
      'gateway with SQLite index',
      spread(comparing.sqlite),
      ms(comparing.sqlite.p50 - comparing.plain.p50),
      ms(comparing.sqlite.p95 - comparing.plain.p95),
    ],
  ],
)}

A search right after a write to the experiment that it searches.

${table(['search', 'ms', 'did not find the write'], pairRows)}`;
}

const BATCH_WAYS: Readonly<Record<Way, string>> = {
  mlflow: 'MLflow',
  plain: 'gateway without index',
  elasticsearch: 'gateway with Elasticsearch index',
  sqlite: 'gateway with SQLite index',
};
