import type { BackfillResult } from '../backfill.ts';
import { table, whole } from './markdown.ts';

export type BackfillSection = { readonly runs: number } & BackfillResult;

export function describeBackfill({ runs, rates, ratios, rounds, compared }: BackfillSection): string {
  return `## Filling an index

${runs} runs of MLflow, read by a program that throws the pages away, and copied by a gateway into an index that is not there
yet: medians of ${rounds} rounds in turns. After each copy the runs were counted and ${compared} of them compared.

${table(
  ['pages of runs', 'runs a second', 'ratio'],
  [
    ['read only', whole(rates.read), ''],
    ['into Elasticsearch', whole(rates.elasticsearch), ratios.elasticsearch.toFixed(2)],
    ['into SQLite', whole(rates.sqlite), ratios.sqlite.toFixed(2)],
  ],
)}`;
}
