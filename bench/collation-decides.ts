import type { Dialect } from '../src/domain/dialect.ts';
import { isOrderPortable, isPortable } from '../src/plan/exactness.ts';
import { leavesOf } from '../src/query/ast.ts';
import { parseRunFilter } from '../src/query/parse-filter.ts';
import { parseRunOrder } from '../src/query/parse-order.ts';
import type { SearchShape } from './search-shapes.ts';

/** Whether the answer depends on how the database of this kind sorts or folds text, so that a gateway may leave it to MLflow. */
export function collationDecides({ filter = '', orderBy = [] }: SearchShape, dialect: Dialect): boolean {
  const tree = parseRunFilter(filter);
  const isExact = (tree ? leavesOf(tree) : []).every((leaf) => isPortable(leaf, dialect));
  return !(isExact && parseRunOrder(orderBy).every((key) => isOrderPortable(key, dialect)));
}
