import type { Dialect } from '../../src/domain/dialect.ts';
import type { PageRequest, RunPage } from '../../src/plan/adapter.ts';
import { type Filter, type Leaf, leavesOf } from '../../src/query/ast.ts';
import type { Cursor, OrderKey, View } from '../../src/query/run-query.ts';
import { type KeyedTable, orderPlaceOf, TABLES } from './columns.ts';
import { compileFilter, compileLookup } from './compile.ts';
import { compileOrder, isAfter, type OrderTerm, printOrder } from './order.ts';
import { join, type Sql, sql } from './sql.ts';
import type { Statements } from './statements.ts';

/** A search that SQLite can do whole. */
export interface RunSearchTask {
  readonly experimentIds: readonly string[];
  readonly view: View;
  readonly filters: readonly Filter[];
  readonly order: readonly OrderKey[];
  readonly dialect: Dialect;
}

/** Where a statement finds runs, as what follows FROM; it has them as `r`. */
interface Access {
  readonly from: Sql;
  readonly conditions: readonly Sql[];
}

/** One statement of a search. */
export interface Step extends Access {
  /** The keys left to sort by. */
  readonly order: readonly OrderTerm[];
  /** The place to begin after, in the terms of `order`. */
  readonly after: Cursor | undefined;
}

const ALL: Access = { from: sql`runs AS r`, conditions: [] };
const BY_START: Access = { from: sql`runs AS r INDEXED BY runs_by_start`, conditions: [] };

/** A page of a search, over one state of the database. */
export function searchRuns(statements: Statements, task: RunSearchTask, { limit, from }: PageRequest): RunPage {
  return statements.inSnapshot(() => {
    // One row more tells whether there is a next page.
    const wanted = limit + 1 + (from.cursor ? 0 : from.offset);
    const ids: (number | bigint)[] = [];
    for (const step of planSteps(statements, task, from.cursor, wanted)) {
      if (ids.length === wanted) break;
      ids.push(...statements.all(printStep(task, step, wanted - ids.length)).map(({ id }) => id as number));
    }
    const rows = from.cursor ? ids : ids.slice(from.offset);
    const runs = rows.slice(0, limit).map((id) => statements.value(sql`SELECT text FROM run_texts WHERE id = ${id}`));
    return { runs: runs as string[], more: rows.length > limit };
  });
}

export function printStep(task: RunSearchTask, { from, conditions, order, after }: Step, limit: number): Sql {
  const joins = order.flatMap((term) => term.from ?? []);
  const where = [
    ...conditions,
    ...conditionsOf(task),
    ...(after ? [isAfter(order, after), ...bound(order, after)] : []),
  ];
  return sql`SELECT r.id FROM ${join([from, ...joins], ' ')} WHERE ${join(where, ' AND ')} ORDER BY ${printOrder(order)} LIMIT ${limit}`;
}

const conditionsOf = ({ experimentIds, view, filters, dialect }: RunSearchTask): Sql[] => [
  experimentIds.length === 1
    ? sql`r.experiment_id = ${experimentIds[0] ?? ''}`
    : sql`r.experiment_id IN (SELECT value FROM json_each(${JSON.stringify(experimentIds)}))`,
  ...(view === 'all' ? [] : [sql`r.stage = ${view}`]),
  ...filters.map((filter) => compileFilter(filter, dialect)),
];

/** What follows from the place for the first key alone, so that an index can begin there. */
function bound([term]: readonly OrderTerm[], [part]: Cursor): Sql[] {
  if (!term || part?.rank !== 0) return [];
  const place = part.value ?? null;
  return term.rank ? [] : [term.descending ? sql`${term.value} <= ${place}` : sql`${term.value} >= ${place}`];
}

/**
 * How to find the runs, cheapest first page first. From the narrowest condition when it keeps few runs; else along an
 * index in the order that is asked for, testing run after run, which ends as soon as the page is full.
 */
function planSteps(statements: Statements, task: RunSearchTask, after: Cursor | undefined, wanted: number): Step[] {
  const order = compileOrder(task.order);
  const total = Number(statements.value(sql`SELECT max(id) FROM runs`) ?? 0);
  const [first] = task.order;
  const walks = first && (isStart(first) || orderPlaceOf(first.field).kind === 'keyed');
  const narrow = narrowest(statements, task, walks ? Math.sqrt(wanted * total) : total / 2);
  if (narrow || !walks) return [{ ...(narrow ?? ALL), order, after }];
  return isStart(first) ? [{ ...walkOf(task), order, after }] : walkByKey(task, first, order, after);
}

const isStart = ({ field }: OrderKey) => field.entity === 'attribute' && field.key === 'start_time';

const walkOf = ({ experimentIds }: RunSearchTask): Access =>
  experimentIds.length === 1 ? { from: sql`runs AS r INDEXED BY runs_by_experiment`, conditions: [] } : BY_START;

/** Runs with the key, in the order of its index; then NaN; then those without, which tie and so follow the other keys. */
function walkByKey(task: RunSearchTask, key: OrderKey, order: readonly OrderTerm[], after: Cursor | undefined): Step[] {
  const place = orderPlaceOf(key.field);
  const [first, ...others] = order;
  if (place.kind !== 'keyed' || !first) return [];
  const reached = after?.[0]?.rank ?? 0;
  const [part, ...rest] = after ?? [];
  const withKey = (rank: 0 | 1, steps: Pick<Step, 'order' | 'after'>): Step => ({
    ...holders(place.table, place.key, rank),
    ...steps,
  });
  const level = (rank: number) => (rank === reached && after ? rest : undefined);
  const missing = place.table === 'metrics' ? 2 : 1;
  const withoutKey: Step = {
    ...(isStart(task.order[1] ?? key) ? walkOf(task) : ALL),
    conditions: [sql`NOT EXISTS (SELECT 1 FROM ${TABLES[place.table].name} WHERE run = r.id AND key = ${place.key})`],
    order: others,
    after: level(missing),
  };
  const present: OrderTerm = { ...first, from: undefined, rank: undefined, value: sql`k.value` };
  return [
    ...(reached === 0 ? [withKey(0, { order: [present, ...others], after: part && [part, ...rest] })] : []),
    ...(missing === 2 && reached <= 1 ? [withKey(1, { order: others, after: level(1) })] : []),
    withoutKey,
  ];
}

function holders(table: KeyedTable, key: string, nan: 0 | 1): Access {
  const { name, byValue } = TABLES[table];
  return {
    from: sql`${name} AS k INDEXED BY ${byValue} CROSS JOIN runs AS r ON r.id = k.run`,
    conditions: [sql`k.key = ${key}`, ...(table === 'metrics' ? [sql`k.nan = ${nan}`] : [])],
  };
}

/** The condition that keeps the fewest runs, if these are at most `most`. */
function narrowest(statements: Statements, task: RunSearchTask, most: number): Access | undefined {
  const limit = Math.floor(most) + 1;
  const lookups = [
    sql`SELECT id FROM runs INDEXED BY runs_by_experiment WHERE experiment_id IN (SELECT value FROM json_each(${JSON.stringify(task.experimentIds)}))`,
    ...requiredLeaves(task.filters).flatMap((leaf) => compileLookup(leaf, task.dialect) ?? []),
  ];
  const counted = lookups.map((lookup) => ({
    lookup,
    count: Number(statements.value(sql`SELECT count(*) FROM (${lookup} LIMIT ${limit})`)),
  }));
  const best = counted.reduce((a, b) => (b.count < a.count ? b : a));
  if (best.count >= limit) return undefined;
  // CROSS JOIN fixes who is looked up by whom; DISTINCT, since a run may have several datasets of one name.
  return {
    from: sql`(SELECT DISTINCT id FROM (${best.lookup})) AS n CROSS JOIN runs AS r ON r.id = n.id`,
    conditions: [],
  };
}

/** Leaves that every run found has to satisfy. */
const requiredLeaves = (filters: readonly Filter[]): Leaf[] =>
  filters.flatMap((filter) =>
    filter.kind === 'and'
      ? requiredLeaves(filter.terms)
      : filter.kind === 'or' || filter.kind === 'not'
        ? []
        : leavesOf(filter),
  );
