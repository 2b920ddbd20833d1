import type {
  BulkHistoryRequest,
  HistoryPage,
  HistoryRequest,
  MetricPoint,
  RunMetricPoint,
  SampledHistoryRequest,
  TrackingStore,
} from '../../../src/plan/tracking-store.ts';
import type { Statements } from './statements.ts';

type Operations = 'getMetricHistory' | 'getMetricHistoryBulk' | 'getMetricHistoryBulkInterval';

export const metricHistory = (statements: Statements): Pick<TrackingStore, Operations> => ({
  getMetricHistory: (request) => page(statements, request),
  getMetricHistoryBulk: (request) => bulk(statements, request),
  getMetricHistoryBulkInterval: (request) => request.runIds.flatMap((runId) => sample(statements, runId, request)),
});

interface PointRow {
  readonly timestamp: bigint;
  readonly step: bigint;
  readonly value: number;
  readonly nan: bigint;
}

const POINTS = `metric_points JOIN metric_series ON metric_series.id = series JOIN runs ON runs.id = run
  WHERE run_id = ? AND key = ?`;
const COLUMNS = 'metric_points.timestamp, metric_points.step, value, nan';

const toPoint = ({ timestamp, step, value, nan }: PointRow): MetricPoint => ({
  timestamp,
  step,
  value: nan ? Number.NaN : value,
});

function page(statements: Statements, { runId, metricKey, offset, maxResults }: HistoryRequest): HistoryPage {
  const rows = statements.all<PointRow>(
    `SELECT ${COLUMNS} FROM ${POINTS} ORDER BY metric_points.timestamp, metric_points.step, value LIMIT ? OFFSET ?`,
    // One more shows whether there are more.
    ...[runId, metricKey, maxResults === undefined ? -1 : maxResults + 1, offset],
  );
  const points = rows.slice(0, maxResults).map(toPoint);
  return { points, hasMore: rows.length > points.length };
}

function bulk(statements: Statements, { runIds, metricKey, maxResults }: BulkHistoryRequest): RunMetricPoint[] {
  const points: RunMetricPoint[] = [];
  for (const runId of [...new Set(runIds)].sort()) {
    const left = maxResults < 0n ? -1n : maxResults - BigInt(points.length);
    if (left === 0n) break;
    const rows = statements.all<PointRow>(
      `SELECT ${COLUMNS} FROM ${POINTS} ORDER BY metric_points.timestamp, metric_points.step, value LIMIT ?`,
      ...[runId, metricKey, left],
    );
    for (const row of rows) points.push({ runId, ...toPoint(row) });
  }
  return points;
}

/** The first point of each of so many equal parts, and the last point of all. */
function sample(
  statements: Statements,
  runId: string,
  { metricKey, maxResults, steps }: SampledHistoryRequest,
): RunMetricPoint[] {
  const interval = steps ? 'AND metric_points.step BETWEEN ? AND ?' : '';
  const rows = statements.all<PointRow>(
    `WITH points AS (
       SELECT ${COLUMNS}, row_number() OVER places AS place, ntile(?) OVER places AS part, count(*) OVER () AS total
       FROM ${POINTS} ${interval}
       WINDOW places AS (ORDER BY metric_points.step, metric_points.timestamp, value, nan)
     ), parts AS (SELECT *, lag(part) OVER (ORDER BY place) IS NOT part AS is_first FROM points)
     SELECT timestamp, step, value, nan FROM parts WHERE is_first OR place = total ORDER BY place`,
    ...[BigInt(maxResults), runId, metricKey, ...(steps ? [steps.from, steps.to] : [])],
  );
  // The last point takes the place of the last part's first.
  const kept = rows.length > maxResults ? [...rows.slice(0, maxResults - 1), ...rows.slice(-1)] : rows;
  return kept.map((row) => ({ runId, ...toPoint(row) }));
}
