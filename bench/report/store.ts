import { geometricMean } from '../statistics.ts';
import { type StoreResult, TIME_LIMIT_S } from '../store.ts';
import { spread, table, times, whole } from './markdown.ts';

export type StoreSection = { readonly runs: number; readonly samples: number } & StoreResult;

export function describeStore({ runs, samples, searches, logging, peakMemoryMiB }: StoreSection): string {
  const factors = searches.map(({ gateway, mlflow }) => (mlflow ? mlflow.p50 / gateway.p50 : Number.NaN));
  const searchRows = searches.map(({ name, rows, gateway, mlflow }, i) => [
    name,
    `${rows}`,
    mlflow ? spread(mlflow) : `> ${TIME_LIMIT_S} s, runs not compared`,
    `${mlflow?.samples ?? ''}`,
    spread(gateway),
    mlflow ? times(factors[i]) : '',
  ]);
  const mean = times(geometricMean(factors.filter((factor) => !Number.isNaN(factor))));
  const loggingRows = logging.map(({ clients, gateway, mlflow }) => [
    `${clients}`,
    mlflow.toFixed(1),
    gateway.toFixed(1),
    times(gateway / mlflow),
  ]);
  return `## The gateway's own store

${runs} runs in both, pages of 100, one client, ${samples} samples of the gateway, in turns. Times in ms: p50 / p95 / p99. How many
times as fast the gateway is goes by p50, and the mean over the searches that MLflow finished in ${TIME_LIMIT_S} s.

${table(
  ['search', 'rows', 'MLflow on SQLite', 'its samples', 'gateway', 'times as fast'],
  [...searchRows, ['geometric mean', '', '', '', '', mean]],
)}

Runs logged a second into the same servers, medians of rounds in turns: 5 tags, 10 metrics, 6 params, three requests a run.

${table(['clients', 'MLflow on SQLite', 'gateway', 'times as fast'], loggingRows)}

The gateway held ${whole(peakMemoryMiB)} MiB at most.`;
}
