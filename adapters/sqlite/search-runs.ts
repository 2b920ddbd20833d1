import type { Dialect } from '../../src/domain/dialect.ts';
import type { PageRequest, RunPage } from '../../src/plan/adapter.ts';
import { type Filter, type Leaf, leavesOf } from '../../src/query/ast.ts';
import type { Cursor, CursorPart, OrderKey, View } from '../../src/query/run-query.ts';
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

/** One pass over the table: by way of an index SQLite would look each run up. */
const ALL: Access = { from: sql`runs AS r NOT INDEXED`, conditions: [] };
/** Indexes of columns that runs are often ordered by. */
const COLUMN_INDEXES: Readonly<Record<string, Sql>> = {
  end_time: sql`runs AS r INDEXED BY runs_by_end`,
  run_name: sql`runs AS r INDEXED BY runs_by_name`,
};
const BY_START: Access = { from: sql`runs AS r INDEXED BY runs_by_start`, conditions: [] };

/** A page of a search, over one state of the database. */
export function searchRuns(statements: Statements, task: RunSearchTask, { limit, from }: PageRequest): RunPage {
  return statements.inSnapshot(() => {
    // One row more tells whether there is a next page.
    const wanted = limit + 1 + (from.cursor ? 0 : from.offset);
    const ids: bigint[] = [];
    for (const step of planSteps(statements, task, from.cursor, wanted)) {
      if (ids.length === wanted) break;
      ids.push(...statements.all<{ id: bigint }>(printStep(task, step, wanted - ids.length)).map(({ id }) => id));
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
  const phases = phasesOf(task, order);
  const narrow = narrowest(statements, task, phases ? Math.sqrt(wanted * total) : total / 2);
  return phases && !narrow ? walk(phases, after) : [{ ...(narrow ?? ALL), order, after }];
}

/** The runs of one presence class of the first key, all in the order of an index. */
interface Phase extends Access {
  readonly rank: CursorPart['rank'];
  readonly order: readonly OrderTerm[];
}

/** Presence classes of the first key one after the other; undefined when no index is in its order. */
function phasesOf(task: RunSearchTask, order: readonly OrderTerm[]): Phase[] | undefined {
  const [key, second] = task.order;
  const [first, ...others] = order;
  if (!key || !first) return undefined;
  if (isStart(key)) return [{ rank: 0, ...walkOf(task), order }];
  // Runs without the key tie, and so follow the other keys.
  const tied = { ...(second && isStart(second) ? walkOf(task) : ALL), order: others };
  const place = orderPlaceOf(key.field);
  if (place.kind === 'column') {
    const index = COLUMN_INDEXES[key.field.key];
    if (!index) return undefined;
    const present = { ...first, rank: undefined };
    return [
      { rank: 0, from: index, conditions: [sql`${place.column} IS NOT NULL`], order: [present, ...others] },
      { rank: 1, ...tied, conditions: [sql`${place.column} IS NULL`] },
    ];
  }
  const { table, key: name } = place;
  const present = { ...first, from: undefined, rank: undefined, value: sql`k.value` };
  const missing = [sql`NOT EXISTS (SELECT 1 FROM ${TABLES[table].name} WHERE run = r.id AND key = ${name})`];
  return [
    { rank: 0, ...holders(table, name, 0), order: [present, ...others] },
    ...(table === 'metrics' ? [{ rank: 1, ...holders(table, name, 1), order: others } as const] : []),
    { rank: table === 'metrics' ? 2 : 1, ...tied, conditions: missing },
  ];
}

const isStart = ({ field }: OrderKey) => field.entity === 'attribute' && field.key === 'start_time';

const walkOf = ({ experimentIds }: RunSearchTask): Access =>
  experimentIds.length === 1 ? { from: sql`runs AS r INDEXED BY runs_by_experiment`, conditions: [] } : BY_START;

function holders(table: KeyedTable, key: string, nan: 0 | 1): Access {
  const { name, byValue } = TABLES[table];
  return {
    from: sql`${name} AS k INDEXED BY ${byValue} CROSS JOIN runs AS r ON r.id = k.run`,
    conditions: [sql`k.key = ${key}`, ...(table === 'metrics' ? [sql`k.nan = ${nan}`] : [])],
  };
}

/** The phases from the place on that was reached. */
function walk(phases: readonly Phase[], after: Cursor | undefined): Step[] {
  const [part, ...rest] = after ?? [];
  const reached = part?.rank ?? 0;
  return phases
    .filter(({ rank }) => rank >= reached)
    .map((phase) => ({ ...phase, after: phase.rank > reached ? undefined : reached > 0 ? rest : after }));
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
