import { type Fields, objectsOf, parseObject, textOf } from './wire-json.ts';

/** Values of one metric in one batch that Azure takes: `FieldName=MetricV2Dto.Value/Count, Limit=250` (mlflow/mlflow#11462). */
const MAX_OF_METRIC = 250;
/** Metrics, params and tags together in one batch, by MLflow's own rule. */
const MAX_ITEMS = 1_000;

/** A piece of a `runs/log-batch`. */
export interface BatchPiece {
  /** JSON, to be sent. */
  readonly body: string;
  /** Values of metrics in it. */
  readonly values: number;
}

/**
 * Cuts the body of a `runs/log-batch` into ones that Azure takes, in the order of the values; params and tags are in the first.
 * One that fits, or cannot be read, stays whole, as it came.
 */
export function splitBatch(body: string): readonly BatchPiece[] {
  const { metrics, params, tags, ...rest } = readBatch(body) ?? NO_BATCH;
  const groups = groupsOf(metrics, sizeOf(params) + sizeOf(tags));
  if (groups.length < 2) return [{ body, values: metrics.length }];
  return groups.map((group, i) => ({
    body: printWire({ ...rest, metrics: group, ...(i === 0 && given({ params, tags })) }),
    values: group.length,
  }));
}

interface Batch extends Fields {
  readonly metrics: readonly Fields[];
}

const NO_BATCH: Batch = { metrics: [] };

function readBatch(body: string): Batch | undefined {
  try {
    const batch = parseObject(body);
    return { ...batch, metrics: objectsOf(batch.metrics) };
  } catch {
    return undefined;
  }
}

const sizeOf = (items: unknown) => (Array.isArray(items) ? items.length : 0);

const given = (fields: Fields) => Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));

/** `others` take up room in the first. */
function groupsOf(metrics: readonly Fields[], others: number): Fields[][] {
  const groups: Fields[][] = [[]];
  let group: Fields[] = groups[0] ?? [];
  let counts = new Map<string, number>();
  let room = MAX_ITEMS - others;
  for (const metric of metrics) {
    const key = textOf(metric.key) ?? '';
    const count = counts.get(key) ?? 0;
    if (group.length >= room || count >= MAX_OF_METRIC) {
      group = [];
      groups.push(group);
      counts = new Map();
      room = MAX_ITEMS;
    }
    group.push(metric);
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return groups;
}

/** JSON as any reader takes it: what is no number has its name in a string, as in protobuf's JSON. */
function printWire(value: unknown): string {
  return JSON.stringify(value, (_key, field: unknown) => {
    if (typeof field === 'bigint') return rawJson(String(field));
    return typeof field === 'number' && !Number.isFinite(field) ? String(field) : field;
  });
}

/** Not among the types of this version of TypeScript; in Node since 21. */
const { rawJSON: rawJson } = JSON as unknown as { rawJSON(text: string): unknown };
