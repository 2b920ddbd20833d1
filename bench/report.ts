import type { Machine } from './machine.ts';
import type { ProxyResult } from './proxy.ts';

import type { SearchResult } from './search.ts';

import { geometricMean } from './statistics.ts';

/** Everything one run of the benchmark found. */
export interface BenchReport {
  readonly date: string;
  readonly machine: Machine;
  readonly versions: Readonly<Record<string, string>>;
  readonly search?: { readonly runs: number; readonly samples: number; readonly results: readonly SearchResult[] };
  readonly proxy?: readonly ProxyResult[];
}

const row = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;

/** The first column is text, the others are figures. */
const table = (head: readonly string[], rows: readonly (readonly string[])[]) =>
  [row(head), row(head.map((_, i) => (i === 0 ? '---' : '---:'))), ...rows.map(row)].join('\n');

const ms = (value: number) => value.toFixed(value < 10 ? 2 : 1);
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
    `${ms(raw.p50)} / ${ms(raw.p95)} / ${ms(raw.p99)}`,
    `${ms(decoded.p50)}`,
    `${ms(gateway.p50)} / ${ms(gateway.p95)} / ${ms(gateway.p99)}`,
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

/** The report as Markdown. */
export const printReport = (report: BenchReport): string =>
  [
    describeSetting(report),
    ...(report.search ? [describeSearch(report.search)] : []),
    ...(report.proxy ? [describeProxy(report.proxy)] : []),
  ].join('\n\n');
