import type { SearchResult } from '../measure-search.ts';
import { geometricMean } from '../statistics.ts';
import { ms, spread, table } from './markdown.ts';

export interface SearchSection {
  readonly runs: number;
  readonly samples: number;
  readonly results: readonly SearchResult[];
}

export function describeSearch({ runs, samples, results }: SearchSection): string {
  const rows = results.map(({ name, rows, gateway, raw, decoded, proxied }) => [
    name,
    `${rows}`,
    spread(raw),
    `${ms(decoded.p50)}`,
    `${ms(proxied.p50)}`,
    spread(gateway),
    (gateway.p50 / raw.p50).toFixed(2),
    (gateway.p50 / decoded.p50).toFixed(2),
    (gateway.p50 / proxied.p50).toFixed(2),
  ]);
  const means = [
    geometricMean(results.map(({ gateway, raw }) => gateway.p50 / raw.p50)),
    geometricMean(results.map(({ gateway, decoded }) => gateway.p50 / decoded.p50)),
    geometricMean(results.map(({ gateway, proxied }) => gateway.p50 / proxied.p50)),
  ].map((mean) => mean.toFixed(2));
  return `## Search

${runs} runs, pages of 100, no cache, one client, ${samples} samples a side in turns. Times in ms: p50 / p95 / p99.

${table(
  [
    'search',
    'rows',
    'Elasticsearch raw',
    'raw and JSON.parse, p50',
    'raw through a bare proxy, p50',
    'gateway',
    'ratio of p50',
    'ratio to parsed',
    'ratio to proxied',
  ],
  [...rows, ['geometric mean', '', '', '', '', '', ...means]],
)}`;
}
