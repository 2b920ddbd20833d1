import type { Dialect } from '../../src/domain/dialect.ts';
import { isOrderPortable, isPortable, type Split, splitFilter as split, typeOf } from '../../src/plan/exactness.ts';
import type { Filter, Leaf, Match } from '../../src/query/ast.ts';
import { parseLike } from '../../src/query/like.ts';
import type { OrderKey } from '../../src/query/run-query.ts';
import { columnOf } from './columns.ts';
import { encodeKey, isIndexable } from './terms.ts';
import { isSmall, normalizeLike } from './wildcard.ts';

/** What the index evaluates exactly as MLflow over this database does, and the rest. */
export const splitFilter = (filter: Filter | undefined, dialect: Dialect): Split =>
  split(filter, (leaf) => isPortable(leaf, dialect) && hasIndexableTexts(leaf) && isSmallEnough(leaf, dialect));

/** Elasticsearch refuses to look for a term that is too long to be there; no run with a NUL is there. */
function hasIndexableTexts(leaf: Leaf): boolean {
  const { field } = leaf;
  if (!isIndexable(field.key)) return false;
  if (typeOf(field) === 'number') return true;
  const values = leaf.kind === 'compare' ? [String(leaf.value)] : leaf.kind === 'member' ? leaf.values : [''];
  const { prefix } = columnOf(field);
  return values.every((value) => isIndexable(prefix + value));
}

/** Each value of a NOT IN over datasets costs a clause. */
const MAX_EXCLUDED_DATASETS = 20;

function isSmallEnough(leaf: Leaf, dialect: Dialect): boolean {
  if (leaf.kind === 'match') return isSmallMatch(leaf, dialect);
  if (leaf.kind !== 'member') return true;
  return !(leaf.negated && leaf.field.entity === 'dataset' && leaf.values.length > MAX_EXCLUDED_DATASETS);
}

function isSmallMatch({ field, pattern, ignoreCase }: Match, dialect: Dialect): boolean {
  const parts = normalizeLike(parseLike(pattern, dialect));
  const { prefix } = columnOf(field);
  const isPlain = !ignoreCase && parts.every(({ kind }) => kind === 'text');
  return isIndexable(prefix + pattern) && (isPlain || isSmall(parts, prefix.length));
}

/** Whether the index sorts by this key exactly as MLflow over this database does. */
export const isOrdered = (key: OrderKey, dialect: Dialect): boolean =>
  isIndexable(key.field.key) && isIndexable(encodeKey(key.field.key)) && isOrderPortable(key, dialect);
