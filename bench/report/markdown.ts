import type { Percentiles } from '../statistics.ts';

const row = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;

/** A Markdown table. The first column is text, the others are figures. */
export const table = (head: readonly string[], rows: readonly (readonly string[])[]) =>
  [row(head), row(head.map((_, i) => (i === 0 ? '---' : '---:'))), ...rows.map(row)].join('\n');

export const ms = (value: number) => value.toFixed(value < 10 ? 2 : 1);
export const spread = ({ p50, p95, p99 }: Percentiles) => [p50, p95, p99].map(ms).join(' / ');
export const times = (factor = Number.NaN) => factor.toFixed(factor < 10 ? 2 : 1);
export const whole = (value: number) => (Number.isNaN(value) ? 'unknown' : Math.round(value).toString());
export const kilobytes = (bytes: number) => (bytes / 1_000).toFixed(0);
export const megabytes = (bytes: number) => (bytes / 1_000_000).toFixed(bytes < 10_000_000 ? 1 : 0);
