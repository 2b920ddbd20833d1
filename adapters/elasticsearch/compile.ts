import type { estypes } from '@elastic/elasticsearch';
import type { Dialect } from '../../src/domain/dialect.ts';
import { type Compare, type CompareOp, type Filter, type Match, type Visitor, visit } from '../../src/query/ast.ts';
import { parseLike } from '../../src/query/like.ts';
import { compareText } from '../../src/query/order.ts';
import type { RunQuery, View } from '../../src/query/run-query.ts';
import { columnOf, type TextColumn } from './columns.ts';
import { NUMBER_CODES, sortableDouble } from './sortable.ts';
import { normalizeLike, printWildcard } from './wildcard.ts';

type Query = estypes.QueryDslQueryContainer;

const anyOf = (queries: readonly Query[]): Query => ({ bool: { should: [...queries], minimum_should_match: 1 } });
const not = (query: Query): Query => ({ bool: { must_not: [query] } });
const butNot = (wanted: Query, unwanted: Query): Query => ({ bool: { filter: [wanted], must_not: [unwanted] } });
const term = (path: string, value: string): Query => ({ term: { [path]: value } });

const VIEWS: Record<View, readonly Query[]> = {
  active: [term('stage', 'active')],
  deleted: [term('stage', 'deleted')],
  all: [],
};

/** The whole of a query but its order. Documents that are no runs have no experiment, so none is ever found. */
export const compileQuery = ({ experimentIds, view, dialect }: RunQuery, terms: readonly Filter[]): Query => ({
  bool: {
    filter: [
      { terms: { experiment_id: [...experimentIds] } },
      ...VIEWS[view],
      ...terms.map((filter) => compileFilter(filter, dialect)),
    ],
  },
});

/** A filter in query DSL: it finds the runs for which `evaluate` is true, provided that each leaf is exact. */
export function compileFilter(filter: Filter, dialect: Dialect): Query {
  const visitor: Visitor<Query> = {
    and: ({ terms }) => ({ bool: { filter: terms.map((operand) => visit(operand, visitor)) } }),
    or: ({ terms }) => (terms.length > 0 ? anyOf(terms.map((operand) => visit(operand, visitor))) : { match_none: {} }),
    not: ({ term: operand }) => not(visit(operand, visitor)),
    compare: compileCompare,
    match: (leaf) => compileMatch(columnOf(leaf.field), leaf, dialect),
    member: ({ field, values, negated }) => compileMember(columnOf(field), values, negated),
    'null-test': ({ field, negated }) => (negated ? columnOf(field).presence : not(columnOf(field).presence)),
  };
  return visit(filter, visitor);
}

function compileCompare({ field, op, value }: Compare): Query {
  if (field.entity === 'metric') return compileMetric(field.key, op, Number(value));
  if (typeof value !== 'string') return compileTime(field.key, op, value);
  return compileMember(columnOf(field), [value], op === '!=');
}

function compileMember(
  { path, prefix, presence, several }: TextColumn,
  values: readonly string[],
  negated: boolean,
): Query {
  if (negated && several) return anyOf(between(path, values));
  const found = values.map((value) => prefix + value);
  const query: Query = found.length === 1 ? term(path, found.join('')) : { terms: { [path]: found } };
  return negated ? butNot(presence, query) : query;
}

/** Some value is none of these: it lies before the first, between two neighbours, or after the last. */
function between(path: string, values: readonly string[]): Query[] {
  const bounds = [...new Set(values)].sort(compareText);
  return [undefined, ...bounds].map((low, i) => {
    const high = bounds[i];
    return { range: { [path]: { ...(low !== undefined && { gt: low }), ...(high !== undefined && { lt: high }) } } };
  });
}

function compileMatch({ path, prefix, presence }: TextColumn, { pattern, ignoreCase }: Match, dialect: Dialect): Query {
  const parts = normalizeLike(parseLike(pattern, dialect));
  if (parts.length === 1 && parts[0]?.kind === 'any') return presence;
  // An empty pattern is an empty value; to a wildcard query that ignores case it is nothing at all.
  if (parts.length === 0 || (!ignoreCase && parts.every(({ kind }) => kind === 'text')))
    return term(path, prefix + textOf(parts));
  const value = prefix + printWildcard(parts);
  return { wildcard: { [path]: { value, ...(ignoreCase && { case_insensitive: true }) } } };
}

const textOf = (parts: ReturnType<typeof parseLike>) =>
  parts.map((part) => (part.kind === 'text' ? part.text : '')).join('');

/** Latest values, by their codes. The bounds keep NaN, whose code is past every number, out of all but `!=`. */
function compileMetric(key: string, op: CompareOp, value: number): Query {
  const hasKey = term('metrics.key', key);
  const code = String(sortableDouble(value));
  const equal = term('metrics.asc', code);
  if (op === '!=') return nested(butNot(hasKey, equal));
  return nested({
    bool: { filter: [hasKey, op === '=' ? equal : { range: { 'metrics.asc': METRIC_RANGE[op](code) } }] },
  });
}

const nested = (query: Query): Query => ({ nested: { path: 'metrics', query } });

const LOWEST = String(NUMBER_CODES.lowest);
const HIGHEST = String(NUMBER_CODES.highest);
const METRIC_RANGE: Record<'<' | '<=' | '>' | '>=', (code: string) => estypes.QueryDslTermRangeQuery> = {
  '<': (code) => ({ gte: LOWEST, lt: code }),
  '<=': (code) => ({ gte: LOWEST, lte: code }),
  '>': (code) => ({ gt: code, lte: HIGHEST }),
  '>=': (code) => ({ gte: code, lte: HIGHEST }),
};

const MAX_INT64 = 2n ** 63n - 1n;
const MIN_INT64 = -MAX_INT64 - 1n;

/** The integers just below and just above a number: both are the number itself if it is one. */
interface Neighbours {
  readonly floor: bigint;
  readonly ceil: bigint;
}

/** The first and the last integer that satisfy a comparison; none when they are the wrong way round. */
const TIME_RANGE: Record<Exclude<CompareOp, '!='>, (literal: Neighbours) => readonly [bigint, bigint]> = {
  '=': ({ floor, ceil }) => [ceil, floor],
  '<': ({ ceil }) => [MIN_INT64, ceil - 1n],
  '<=': ({ floor }) => [MIN_INT64, floor],
  '>': ({ floor }) => [floor + 1n, MAX_INT64],
  '>=': ({ ceil }) => [ceil, MAX_INT64],
};

/** Times are int64, but may be compared with any number. */
function compileTime(path: string, op: CompareOp, value: number | bigint): Query {
  if (op === '!=') return butNot({ exists: { field: path } }, compileTime(path, '=', value));
  const [first, last] = TIME_RANGE[op](neighboursOf(value));
  const gte = first < MIN_INT64 ? MIN_INT64 : first;
  const lte = last > MAX_INT64 ? MAX_INT64 : last;
  return gte > lte ? { match_none: {} } : { range: { [path]: { gte: String(gte), lte: String(lte) } } };
}

const BEYOND_INT64 = 2n ** 64n;

function neighboursOf(value: number | bigint): Neighbours {
  if (typeof value === 'bigint') return { floor: value, ceil: value };
  if (Number.isFinite(value)) return { floor: BigInt(Math.floor(value)), ceil: BigInt(Math.ceil(value)) };
  const beyond = value > 0 ? BEYOND_INT64 : -BEYOND_INT64;
  return { floor: beyond, ceil: beyond };
}
