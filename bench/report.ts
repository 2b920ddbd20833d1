import type { BackfillResult } from './backfill.ts';
import type { FeedResult, Way } from './feed.ts';
import type { Machine } from './machine.ts';
import type { ProxyResult } from './proxy.ts';
import type { SearchResult } from './search.ts';
import { geometricMean, type Percentiles } from './statistics.ts';
import { type StoreResult, TIME_LIMIT_S } from './store.ts';

/** Everything one run of the benchmark found. */
export interface BenchReport {
  readonly date: string;
  readonly machine: Machine;
  readonly versions: Readonly<Record<string, string>>;
  readonly search?: { readonly runs: number; readonly samples: number; readonly results: readonly SearchResult[] };
  readonly proxy?: readonly ProxyResult[];
  readonly store?: { readonly runs: number; readonly samples: number } & StoreResult;
  readonly backfill?: { readonly runs: number } & BackfillResult;
  readonly feed?: { readonly runs: number; readonly samples: number } & FeedResult;
}

const row = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;

/** The first column is text, the others are figures. */
const table = (head: readonly string[], rows: readonly (readonly string[])[]) =>
  [row(head), row(head.map((_, i) => (i === 0 ? '---' : '---:'))), ...rows.map(row)].join('\n');

const ms = (value: number) => value.toFixed(value < 10 ? 2 : 1);
const spread = ({ p50, p95, p99 }: Percentiles) => [p50, p95, p99].map(ms).join(' / ');
const times = (factor = Number.NaN) => factor.toFixed(factor < 10 ? 2 : 1);
const whole = (value: number) => (Number.isNaN(value) ? 'unknown' : Math.round(value).toString());

function describeSetting({ date, machine, versions }: BenchReport): string {
  const { processor, cores, memoryGiB, system, node } = machine;
  const software = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  return `Measured ${date} on ${cores} cores (${processor}), ${memoryGiB} GiB, ${system}; ${[`Node ${node}`, ...software].join(', ')}.`;
}

function describeSearch({ runs, samples, results }: NonNullable<BenchReport['search']>): string {
  const rows = results.map(({ name, rows, gateway, raw, decoded }) => [
    name,
    `${rows}`,
    spread(raw),
    `${ms(decoded.p50)}`,
    spread(gateway),
    (gateway.p50 / raw.p50).toFixed(2),
    (gateway.p50 / decoded.p50).toFixed(2),
  ]);
  const means = [
    geometricMean(results.map(({ gateway, raw }) => gateway.p50 / raw.p50)),
    geometricMean(results.map(({ gateway, decoded }) => gateway.p50 / decoded.p50)),
  ].map((mean) => mean.toFixed(2));
  return `## Search

${runs} runs, pages of 100, no cache, one client, ${samples} samples a side in turns. Times in ms: p50 / p95 / p99.

${table(
  ['search', 'rows', 'Elasticsearch raw', 'raw and JSON.parse, p50', 'gateway', 'ratio of p50', 'ratio to parsed'],
  [...rows, ['geometric mean', '', '', '', '', ...means]],
)}`;
}

function describeProxy(results: readonly ProxyResult[]): string {
  const rows = results.map(({ answerBytes, direct, gateway, bare }) => [
    `${answerBytes} bytes`,
    whole(direct),
    whole(bare.requestsPerSecond),
    whole(gateway.requestsPerSecond),
    (gateway.requestsPerSecond / bare.requestsPerSecond).toFixed(2),
    whole(bare.cpuMicroseconds),
    whole(gateway.cpuMicroseconds),
  ]);
  return `## Pass-through

GETs of a path the gateway does not own, 16 connections, medians of rounds in turns. Requests a second, and CPU of the proxy
for each request in µs.

${table(['answer', 'no proxy', 'bare proxy', 'gateway', 'ratio', 'CPU, bare', 'CPU, gateway'], rows)}`;
}

function describeStore({ runs, samples, searches, logging, peakMemoryMiB }: NonNullable<BenchReport['store']>): string {
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

function describeBackfill({ runs, rates, ratios, rounds, compared }: NonNullable<BenchReport['backfill']>): string {
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

function describeFeed({ samples, batches, pairs }: NonNullable<BenchReport['feed']>): string {
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

A search right after a write to the experiment that it searches.

${table(['search', 'ms', 'did not find the write'], pairRows)}`;
}

const BATCH_WAYS: Readonly<Record<Way, string>> = {
  mlflow: 'MLflow',
  plain: 'gateway without index',
  elasticsearch: 'gateway with Elasticsearch index',
  sqlite: 'gateway with SQLite index',
};

/** The report as Markdown. */
export const printReport = (report: BenchReport): string =>
  [
    describeSetting(report),
    ...(report.search ? [describeSearch(report.search)] : []),
    ...(report.proxy ? [describeProxy(report.proxy)] : []),
    ...(report.store ? [describeStore(report.store)] : []),
    ...(report.backfill ? [describeBackfill(report.backfill)] : []),
    ...(report.feed ? [describeFeed(report.feed)] : []),
  ].join('\n\n');
