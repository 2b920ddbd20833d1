import type { LoggedMetric, TrackingStore } from '../../../src/plan/tracking-store.ts';
import { sql } from '../sql.ts';
import type { Statements } from '../statements.ts';
import { refreshRunText } from './refresh-run-text.ts';
import { refused } from './refusals.ts';
import { findActiveRun } from './run-rows.ts';
import { validateMetric } from './validate-metric.ts';

export const metrics = (statements: Statements): Pick<TrackingStore, 'logMetric'> => ({
  logMetric({ runId, ...metric }) {
    validateMetric(metric);
    const { id } = findActiveRun(statements, runId);
    if (addMetrics(statements, id, [metric])) refreshRunText(statements, id);
  },
});

/**
 * Adds validated values to the history and keeps the latest one of each key, which is the greatest by step, timestamp and
 * value. A point that is there already is dropped.
 * @returns whether a latest value changed
 * @throws GatewayError BAD_REQUEST for a value that names a logged model: the store has none
 */
export function addMetrics(statements: Statements, run: bigint, all: readonly LoggedMetric[]): boolean {
  let changed = false;
  for (const metric of all) {
    if (metric.modelId) throw refused(`There is no logged model '${metric.modelId}': this store keeps runs only.`);
    if (addMetric(statements, run, metric)) changed = true;
  }
  return changed;
}

interface Latest {
  readonly id: bigint;
  readonly timestamp: bigint;
  readonly step: bigint;
  readonly value: number;
}

function addMetric(statements: Statements, run: bigint, { key, timestamp, step, value }: LoggedMetric): boolean {
  const nan = Number.isNaN(value) ? 1 : 0;
  const stored = storable(value);
  const latest = statements.get<Latest>(sql`
    SELECT id, timestamp, step, value FROM metric_series JOIN metrics USING (run, key)
    WHERE run = ${run} AND key = ${key}`);
  const series = latest?.id ?? beginSeries(statements, run, { key, timestamp, step });
  statements.run(sql`
    INSERT INTO metric_points (series, timestamp, step, value, nan)
    VALUES (${series}, ${timestamp}, ${step}, ${stored}, ${nan}) ON CONFLICT DO NOTHING`);
  if (latest && !isLater({ timestamp, step, value: stored }, latest)) return false;
  if (latest)
    statements.run(sql`UPDATE metric_series SET timestamp = ${timestamp}, step = ${step} WHERE id = ${series}`);
  statements.run(sql`
    INSERT INTO metrics (run, key, value, nan) VALUES (${run}, ${key}, ${stored}, ${nan})
    ON CONFLICT DO UPDATE SET value = excluded.value, nan = excluded.nan`);
  return true;
}

/** A NaN is kept as 0 beside its flag, and takes part in comparisons as such; infinities become the largest doubles. */
function storable(value: number): number {
  if (Number.isNaN(value)) return 0;
  return Math.max(-Number.MAX_VALUE, Math.min(Number.MAX_VALUE, value));
}

const beginSeries = (
  statements: Statements,
  run: bigint,
  { key, timestamp, step }: Pick<LoggedMetric, 'key' | 'timestamp' | 'step'>,
): bigint =>
  statements.value(sql`
    INSERT INTO metric_series (run, key, timestamp, step) VALUES (${run}, ${key}, ${timestamp}, ${step})
    RETURNING id`) as bigint;

/** An equal one does not replace the older. */
function isLater(a: Omit<Latest, 'id'>, b: Latest): boolean {
  if (a.step !== b.step) return a.step > b.step;
  if (a.timestamp !== b.timestamp) return a.timestamp > b.timestamp;
  return a.value > b.value;
}
