import type { Dialect } from '../../src/domain/dialect.ts';
import { type Compare, type Field, type Filter, type Leaf, leavesOf, type Match } from '../../src/query/ast.ts';
import { parseLike } from '../../src/query/like.ts';
import type { OrderKey } from '../../src/query/run-query.ts';
import { columnOf } from './columns.ts';
import { encodeKey, isIndexable } from './terms.ts';
import { isSmall, normalizeLike } from './wildcard.ts';

/** A filter in two: what the index evaluates exactly as MLflow over this database does, and the rest. */
export interface Split {
  readonly pushed: readonly Filter[];
  readonly residual: Filter | undefined;
}

/** Only terms of an outermost `and` can be told apart: below `or` and `not` an inexact leaf spoils the whole term. */
export function splitFilter(filter: Filter | undefined, dialect: Dialect): Split {
  const terms = filter === undefined ? [] : filter.kind === 'and' ? filter.terms : [filter];
  const pushed = terms.filter((term) => isExact(term, dialect));
  const rest = terms.filter((term) => !isExact(term, dialect));
  const [first] = rest;
  return { pushed, residual: rest.length > 1 ? { kind: 'and', terms: rest } : first };
}

/** Elasticsearch bounds the clauses and the depth of a query; MLflow's databases join some 60 tables at most. */
const MAX_LEAVES = 100;
const MAX_DEPTH = 12;

const isExact = (term: Filter, dialect: Dialect) => {
  if (depthOf(term) > MAX_DEPTH) return false;
  const leaves = leavesOf(term);
  return leaves.length <= MAX_LEAVES && leaves.every((leaf) => isExactLeaf(leaf, dialect));
};

function depthOf(filter: Filter): number {
  if (filter.kind === 'not') return 1 + depthOf(filter.term);
  if (filter.kind === 'and' || filter.kind === 'or') return 1 + Math.max(0, ...filter.terms.map(depthOf));
  return 1;
}

/** Each value of a NOT IN over datasets costs a clause. */
const MAX_EXCLUDED_DATASETS = 20;

const isExactLeaf = (leaf: Leaf, dialect: Dialect): boolean =>
  isOfGrammar(leaf) && hasIndexableTexts(leaf) && isExactKind(leaf, dialect);

const TEXT_ATTRIBUTES: ReadonlySet<string> = new Set(['run_id', 'run_name', 'status', 'user_id', 'artifact_uri']);
const TIMES: ReadonlySet<string> = new Set(['start_time', 'end_time']);

function typeOf({ entity, key }: Field): 'number' | 'text' | undefined {
  if (entity === 'metric') return 'number';
  if (entity !== 'attribute' || TEXT_ATTRIBUTES.has(key)) return 'text';
  return TIMES.has(key) ? 'number' : undefined;
}

/** A tree built in code may hold leaves that MLflow has no meaning for, such as `<` on a text. */
function isOfGrammar(leaf: Leaf): boolean {
  const { entity } = leaf.field;
  if (leaf.kind === 'null-test') return entity === 'param' || entity === 'tag';
  const type = typeOf(leaf.field);
  if (leaf.kind !== 'compare') return type === 'text';
  return type === 'text' ? isTextTest(leaf) : type === 'number' && isNumberTest(leaf);
}

const isTextTest = ({ op, value }: Compare) => typeof value === 'string' && (op === '=' || op === '!=');
const isNumberTest = ({ field, value }: Compare) =>
  typeof value === 'number' ? !Number.isNaN(value) : typeof value === 'bigint' && field.entity !== 'metric';

/** Elasticsearch refuses to look for a term that is too long to be there; no run with a NUL is there. */
function hasIndexableTexts(leaf: Leaf): boolean {
  const { field } = leaf;
  if (!isIndexable(field.key)) return false;
  if (typeOf(field) === 'number') return true;
  const values = leaf.kind === 'compare' ? [String(leaf.value)] : leaf.kind === 'member' ? leaf.values : [''];
  const { prefix } = columnOf(field);
  return values.every((value) => isIndexable(prefix + value));
}

function isExactKind(leaf: Leaf, dialect: Dialect): boolean {
  switch (leaf.kind) {
    case 'compare':
      return true;
    case 'match':
      return isExactMatch(leaf, dialect);
    case 'member':
      return !(leaf.negated && leaf.field.entity === 'dataset' && leaf.values.length > MAX_EXCLUDED_DATASETS);
    case 'null-test':
      // MySQL looks the key up without regard to case.
      return dialect !== 'mysql';
  }
}

/** PostgreSQL and MySQL fold letters by tables of their own, and differ in what a backslash at the end means. */
function isExactMatch({ field, pattern, ignoreCase }: Match, dialect: Dialect): boolean {
  if (dialect !== 'sqlite' && (ignoreCase || /(?<!\\)(?:\\\\)*\\$/.test(pattern))) return false;
  const parts = normalizeLike(parseLike(pattern, dialect));
  const { prefix } = columnOf(field);
  const isPlain = !ignoreCase && parts.every(({ kind }) => kind === 'text');
  return isIndexable(prefix + pattern) && (isPlain || isSmall(parts, prefix.length));
}

const ORDERED_ALIKE = new Set(['run_id', 'status', 'start_time', 'end_time']);

/** Text sorts by its bytes on SQLite, elsewhere by a collation; MySQL also looks keys up without regard to case. */
export const isOrdered = ({ field }: OrderKey, dialect: Dialect): boolean =>
  isIndexable(field.key) &&
  isIndexable(encodeKey(field.key)) &&
  (dialect === 'sqlite' ||
    (field.entity === 'attribute' && ORDERED_ALIKE.has(field.key)) ||
    (field.entity === 'metric' && dialect === 'postgresql'));
