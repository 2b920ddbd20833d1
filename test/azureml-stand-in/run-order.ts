import { refusal } from './azure-error.ts';
import type { PresentedRun } from './present-run.ts';
import type { Rules } from './rules.ts';
import { attributeOf, valuesOf } from './run-values.ts';

interface OrderKey {
  readonly entity: string;
  readonly key: string;
  readonly descending: boolean;
}

const CLAUSE = /^\s*(?:(\w+)\.)?([\w.]+|`[^`]+`)(?:\s+(ASC|DESC))?\s*$/i;
const DOCUMENTED = ['start_time', 'duration'];
const ATTRIBUTES = [
  ...DOCUMENTED,
  ...['creation_time', 'end_time'],
  ...['status', 'run_id', 'run_name', 'user_id', 'artifact_uri'],
];
const ENTITIES = ['attributes', 'metrics', 'params', 'tags'];

/** @throws AzureError */
export function parseRunOrder(clauses: readonly unknown[], rules: Rules): OrderKey[] {
  return clauses.flatMap((clause) => {
    const match = typeof clause === 'string' ? CLAUSE.exec(clause) : null;
    if (!match) throw refusal(`Invalid order_by clause '${clause}'.`);
    const [, entity = '', written = '', direction = 'ASC'] = match;
    const key = { entity, key: written.replaceAll('`', ''), descending: direction.toUpperCase() === 'DESC' };
    return isKnown(key, `${clause}`, rules) ? [key] : [];
  });
}

/** False: to be ignored. @throws AzureError */
function isKnown({ entity, key }: OrderKey, clause: string, rules: Rules): boolean {
  if (rules.orderByAttributesOnly && entity !== 'attributes') {
    if (rules.otherOrderIgnored) return false;
    throw refusal(`Invalid order_by clause '${clause}'. Only attributes are supported.`);
  }
  const attributes = rules.documentedOrderOnly ? DOCUMENTED : ATTRIBUTES;
  const isThere = ENTITIES.includes(entity) && (entity !== 'attributes' || attributes.includes(key));
  if (!isThere) throw refusal(`Invalid ordering key in order_by clause '${clause}'.`);
  return true;
}

const NEWEST_FIRST: readonly OrderKey[] = [{ entity: 'attributes', key: 'start_time', descending: true }];

export function sortRuns(
  runs: readonly PresentedRun[],
  asked: readonly OrderKey[],
  rules: Rules,
  random: () => number,
): PresentedRun[] {
  if (asked.length === 0 && !rules.newestFirst) return shuffle(runs, random);
  const order = asked.length > 0 ? asked : NEWEST_FIRST;
  const sorted = rules.randomTies
    ? shuffle(runs, random)
    : runs.toSorted((a, b) => compareValues(a.run.info.run_id, b.run.info.run_id));
  return sorted.sort((a, b) => {
    for (const key of order) {
      const result = compareBy(key, a, b, rules);
      if (result !== 0) return result;
    }
    return 0;
  });
}

/** What has no value comes last, whichever the direction. */
function compareBy(order: OrderKey, a: PresentedRun, b: PresentedRun, rules: Rules): number {
  const [left, right] = [orderedValue(order, a, rules), orderedValue(order, b, rules)];
  if (left === undefined || right === undefined) return Number(left === undefined) - Number(right === undefined);
  return (order.descending ? -1 : 1) * compareValues(left, right);
}

function orderedValue({ entity, key }: OrderKey, run: PresentedRun, rules: Rules): string | number | undefined {
  if (entity === 'attributes') return attributeOf(run, key, rules);
  return valuesOf(run, rules)({ entity, key, keyQuote: undefined, comparator: '=', values: [] })[0];
}

const compareValues = (left: string | number, right: string | number): number =>
  left < right ? -1 : left > right ? 1 : 0;

/** By Fisher and Yates. */
export function shuffle<T>(items: readonly T[], random: () => number): T[] {
  const shuffled = [...items];
  for (let last = shuffled.length - 1; last > 0; last--) {
    const other = Math.floor(random() * (last + 1));
    [shuffled[last], shuffled[other]] = [shuffled[other] as T, shuffled[last] as T];
  }
  return shuffled;
}
