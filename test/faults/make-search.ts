import type { View } from '../../src/query/run-query.ts';
import type { Random } from '../fuzz/random.ts';
import { COLORS, DATASETS, RATES, STATUSES } from './writes.ts';

export interface SearchPlan {
  readonly experimentIds: readonly string[];
  readonly view: View;
  readonly filter: string;
  readonly orderBy: readonly string[];
  readonly limit: number;
  /** Pages to read at most. */
  readonly pages: number;
}

const CLAUSES: readonly ((random: Random) => string)[] = [
  (random) => `metrics.v > ${random.int(0, 40)}`,
  (random) => `metrics.v = ${random.int(1, 40)}`,
  (random) => `metrics.loss <= ${random.int(0, 9) / 10}`,
  (random) => `params.lr = '${random.pick(RATES)}'`,
  (random) => `params.p${random.int(1, 30)} IS NOT NULL`,
  (random) => `tags.v = '${random.int(0, 40)}'`,
  (random) => `tags.v != '${random.int(0, 40)}'`,
  (random) => `tags.color = '${random.pick(COLORS)}'`,
  () => 'tags.color IS NULL',
  (random) => `attributes.status = '${random.pick(STATUSES)}'`,
  (random) => `run_name LIKE 'w${random.int(0, 9)}-%'`,
  (random) => `run_name = 'name-${random.int(1, 40)}'`,
  (random) => `datasets.name = '${random.pick(DATASETS)}'`,
  (random) => `attributes.start_time > ${1_700_000_000_000 + random.int(0, 50) * 1_000}`,
];

const ORDERS: readonly (readonly string[])[] = [
  [],
  [],
  ['metrics.v DESC'],
  ['metrics.loss ASC', 'metrics.v DESC'],
  ['params.lr ASC'],
  ['tags.v DESC'],
  ['attributes.status ASC'],
  ['run_name ASC'],
  ['end_time DESC'],
];

/** A search for what the writes change. */
export function makeSearch(random: Random, experimentIds: readonly string[]): SearchPlan {
  const clauses = random.some(CLAUSES, random.pick([0, 1, 1, 1, 2]));
  return {
    experimentIds: random.some(experimentIds, random.int(1, 4)),
    view: random.pick(['active', 'active', 'all', 'deleted']),
    filter: clauses.map((clause) => clause(random)).join(' AND '),
    orderBy: random.pick(ORDERS),
    limit: random.pick([5, 20, 100]),
    pages: random.int(1, 4),
  };
}
