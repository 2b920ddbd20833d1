import type {
  BulkHistoryRequest,
  HistoryPage,
  HistoryRequest,
  MetricPoint,
  RunMetricPoint,
  SampledHistoryRequest,
  TrackingStore,
} from '../../../src/plan/tracking-store.ts';
import { type Sql, sql } from '../sql.ts';
import type { Statements } from '../statements.ts';

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

const COLUMNS = sql`metric_points.timestamp, metric_points.step, value, nan`;
const pointsOf = (runId: string, key: string): Sql => sql`
  metric_points JOIN metric_series ON metric_series.id = series JOIN runs ON runs.id = run
  WHERE run_id = ${runId} AND key = ${key}`;

const toPoint = ({ timestamp, step, value, nan }: PointRow): MetricPoint => ({
  timestamp,
  step,
  value: nan ? Number.NaN : value,
});

function page(statements: Statements, { runId, metricKey, offset, maxResults }: HistoryRequest): HistoryPage {
  // One more shows whether there are more.
  const limit = maxResults === undefined ? undefined : maxResults + 1;
  const found = list(statements, runId, metricKey, { limit, offset });
  const points = found.slice(0, maxResults);
  return { points, hasMore: found.length > points.length };
}

function bulk(statements: Statements, { runIds, metricKey, maxResults }: BulkHistoryRequest): RunMetricPoint[] {
  const points: RunMetricPoint[] = [];
  for (const runId of [...new Set(runIds)].sort()) {
    const limit = maxResults < 0n ? undefined : maxResults - BigInt(points.length);
    if (limit === 0n) break;
    for (const point of list(statements, runId, metricKey, { limit, offset: 0n })) points.push({ runId, ...point });
  }
  return points;
}

interface Part {
  /** All when undefined. */
  readonly limit: number | bigint | undefined;
  readonly offset: bigint;
}

/** Points of a history, in its order: by time, step and value. */
const list = (statements: Statements, runId: string, key: string, { limit = -1, offset }: Part): MetricPoint[] =>
  statements
    .all<PointRow>(sql`
      SELECT ${COLUMNS} FROM ${pointsOf(runId, key)}
      ORDER BY metric_points.timestamp, metric_points.step, value LIMIT ${limit} OFFSET ${offset}`)
    .map(toPoint);

/** The first point of each of so many equal parts, and the last point of all. */
function sample(
  statements: Statements,
  runId: string,
  { metricKey, maxResults, steps }: SampledHistoryRequest,
): RunMetricPoint[] {
  const interval = steps ? sql`AND metric_points.step BETWEEN ${steps.from} AND ${steps.to}` : sql``;
  const rows = statements.all<PointRow>(sql`
    WITH points AS (
      SELECT ${COLUMNS}, row_number() OVER places AS place, ntile(${maxResults}) OVER places AS part,
        count(*) OVER () AS total
      FROM ${pointsOf(runId, metricKey)} ${interval}
      WINDOW places AS (ORDER BY metric_points.step, metric_points.timestamp, value, nan)
    ), parts AS (SELECT *, lag(part) OVER (ORDER BY place) IS NOT part AS is_first FROM points)
    SELECT timestamp, step, value, nan FROM parts WHERE is_first OR place = total ORDER BY place`);
  // The last point takes the place of the last part's first.
  const kept = rows.length > maxResults ? [...rows.slice(0, maxResults - 1), ...rows.slice(-1)] : rows;
  return kept.map((row) => ({ runId, ...toPoint(row) }));
}
