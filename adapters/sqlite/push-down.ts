import type { Dialect } from '../../src/domain/dialect.ts';
import { isOrderPortable, isPortable, type Split, splitFilter as split } from '../../src/plan/exactness.ts';
import type { Filter, Leaf } from '../../src/query/ast.ts';
import type { OrderKey } from '../../src/query/run-query.ts';

/** SQLite refuses patterns of more than 50,000 bytes; a character takes four at most. */
const MAX_PATTERN = 12_000;

/** What SQLite evaluates exactly as MLflow over this database does, and the rest. */
export const splitFilter = (filter: Filter | undefined, dialect: Dialect): Split =>
  split(filter, (leaf) => isPortable(leaf, dialect) && textsOf(leaf).every(isStorable) && isShort(leaf));

/** Whether SQLite holds a text as it is: valid Unicode, without a NUL, where LIKE and JSON functions stop reading. */
export const isStorable = (text: string): boolean => text.isWellFormed() && !text.includes('\0');

function textsOf(leaf: Leaf): readonly string[] {
  const { key } = leaf.field;
  if (leaf.kind === 'match') return [key, leaf.pattern];
  if (leaf.kind === 'member') return [key, ...leaf.values];
  return leaf.kind === 'compare' ? [key, String(leaf.value)] : [key];
}

const isShort = (leaf: Leaf) => leaf.kind !== 'match' || leaf.pattern.length <= MAX_PATTERN;

/** Whether SQLite sorts by this key exactly as MLflow over this database does. */
export const isOrdered = (key: OrderKey, dialect: Dialect): boolean =>
  isStorable(key.field.key) && isOrderPortable(key, dialect);
