import type { Dialect } from '../../src/domain/dialect.ts';
import { type Compare, type CompareOp, type Filter, type Leaf, type Visitor, visit } from '../../src/query/ast.ts';
import { parseLike } from '../../src/query/like.ts';
import { filterPlaceOf, type Place, TABLES } from './columns.ts';
import { printGlob } from './glob.ts';
import { join, type Sql, sql } from './sql.ts';

const OPERATORS: Readonly<Record<CompareOp, Sql>> = {
  '=': sql`=`,
  '!=': sql`<>`,
  '<': sql`<`,
  '<=': sql`<=`,
  '>': sql`>`,
  '>=': sql`>=`,
};

const TRUE = sql`1`;
const FALSE = sql`0`;

/**
 * A filter as an SQL expression over `runs AS r`: 1 where `evaluate` is true, else 0 and never NULL, so that `not` means
 * the same, provided that each leaf is exact.
 */
export function compileFilter(filter: Filter, dialect: Dialect): Sql {
  const all = (terms: readonly Filter[]) => terms.map((term) => visit(term, visitor));
  const leaf = (node: Leaf) => existsIn(filterPlaceOf(node.field), node, dialect);
  const visitor: Visitor<Sql> = {
    and: ({ terms }) => (terms.length > 0 ? sql`(${join(all(terms), ' AND ')})` : TRUE),
    or: ({ terms }) => (terms.length > 0 ? sql`(${join(all(terms), ' OR ')})` : FALSE),
    not: ({ term }) => sql`NOT ${visit(term, visitor)}`,
    compare: leaf,
    match: leaf,
    member: leaf,
    'null-test': (node) => (node.negated ? leaf(node) : sql`NOT ${leaf(node)}`),
  };
  return visit(filter, visitor);
}

function existsIn(place: Place, leaf: Leaf, dialect: Dialect): Sql {
  if (place.kind === 'column') return sql`(${place.column} IS NOT NULL AND ${testOf(leaf, place.column, dialect)})`;
  const [table, condition] =
    place.kind === 'dataset'
      ? [sql`datasets`, testOf(leaf, place.column, dialect)]
      : [TABLES[place.table].name, keyedCondition(place, leaf, dialect)];
  // With the plus, SQLite does not turn it into a join, which it might then begin with.
  return sql`+EXISTS (SELECT 1 FROM ${table} WHERE run = r.id AND ${condition})`;
}

const keyedCondition = ({ key }: { readonly key: string }, leaf: Leaf, dialect: Dialect): Sql =>
  sql`key = ${key} AND ${testOf(leaf, sql`value`, dialect)}`;

/** The ids of the runs that satisfy a leaf, by an index; undefined where none serves. */
export function compileLookup(leaf: Leaf, dialect: Dialect): Sql | undefined {
  if (!isNarrow(leaf)) return undefined;
  const place = filterPlaceOf(leaf.field);
  const test = (column: Sql) => testOf(leaf, column, dialect);
  if (place.kind === 'dataset') return sql`SELECT run AS id FROM datasets WHERE ${test(place.column)}`;
  if (place.kind === 'keyed') {
    const { name, byValue } = TABLES[place.table];
    return sql`SELECT run AS id FROM ${name} INDEXED BY ${byValue} WHERE ${keyedCondition(place, leaf, dialect)}`;
  }
  return leaf.field.key === 'run_id' ? sql`SELECT r.id FROM runs AS r WHERE ${test(place.column)}` : undefined;
}

/** Whether a leaf may keep few runs: what it leaves out is no use to begin with. */
function isNarrow(leaf: Leaf): boolean {
  if (leaf.kind === 'compare') return leaf.op !== '!=';
  if (leaf.kind === 'member') return !leaf.negated;
  return leaf.kind === 'match' || leaf.negated;
}

/** Whether a column's value, which is there, satisfies a leaf. */
function testOf(leaf: Leaf, column: Sql, dialect: Dialect): Sql {
  switch (leaf.kind) {
    case 'compare':
      return leaf.field.entity === 'metric'
        ? metricTest(leaf)
        : sql`${column} ${OPERATORS[leaf.op]} ${bindable(leaf.value)}`;
    case 'match': {
      // SQLite's own LIKE is MLflow's ILIKE: it folds ASCII letters and has no escape.
      if (leaf.ignoreCase) return sql`${column} LIKE ${leaf.pattern}`;
      return sql`${column} GLOB ${printGlob(parseLike(leaf.pattern, dialect))}`;
    }
    case 'member': {
      const values = sql`(SELECT value FROM json_each(${JSON.stringify(leaf.values)}))`;
      return leaf.negated ? sql`${column} NOT IN ${values}` : sql`${column} IN ${values}`;
    }
    case 'null-test':
      return TRUE;
  }
}

/** NaN satisfies `!=` and nothing else. */
function metricTest({ op, value }: Compare): Sql {
  const test = sql`value ${OPERATORS[op]} ${Number(value)}`;
  return op === '!=' ? sql`(nan = 1 OR ${test})` : sql`nan = 0 AND ${test}`;
}

const MAX_INT64 = 2n ** 63n - 1n;
const MIN_INT64 = -MAX_INT64 - 1n;

/** An integer beyond 64 bits is beyond every time as a double, too, which SQLite compares exactly with integers. */
const bindable = (value: string | number | bigint) =>
  typeof value === 'bigint' && (value > MAX_INT64 || value < MIN_INT64) ? Number(value) : value;
