import { pythonFloat } from '../../domain/python-text.ts';
import { GatewayError, invalidParameter } from '../../errors/gateway-error.ts';
import { checkDatabaseInteger, checkDatabaseText, readExperimentId } from '../database-integer.ts';
import { readPageOffset } from '../page-offset.ts';
import { parseExperimentFilter } from '../parse-filter.ts';
import { parseExperimentOrder } from '../parse-order.ts';
import { type Clause, readClauses } from './read-clauses.ts';
import { readIdentifier } from './read-identifier.ts';
import { readOrderClause } from './read-order-clause.ts';
import { readValue, type Value } from './read-value.ts';
import { refusalOf } from './refusal-of.ts';
import { EXPERIMENT_GRAMMAR, type Identifier, pythonSet } from './search-grammar.ts';

/** An `experiments/search` as it was asked, whatever is wrong with it. */
export interface RefusedExperimentSearch {
  readonly filter: string;
  readonly orderBy: readonly string[];
  readonly pageToken: string;
  readonly maxResults: number;
}

/** The error that MLflow gives for a search for experiments; see `refuseRunSearch`. */
export const refuseExperimentSearch = (search: RefusedExperimentSearch): GatewayError =>
  refusalOf(
    () => checkExperimentSearch(search),
    () => {
      parseExperimentFilter(search.filter);
      parseExperimentOrder(search.orderBy);
    },
  );

/** MLflow's checks in its order (`SqlAlchemyStore._search_experiments`). */
function checkExperimentSearch({ filter, orderBy, pageToken, maxResults }: RefusedExperimentSearch): void {
  const size = `Invalid value ${maxResults} for parameter 'max_results' supplied. It must be`;
  if (maxResults < 1) throw invalidParameter(`${size} a positive integer`);
  if (maxResults > 50_000) throw invalidParameter(`${size} at most 50000`);
  const comparisons = readClauses(filter, (part) => part, readComparison);
  for (const comparison of comparisons) checkComparator(comparison);
  for (const clause of orderBy) {
    const { entity } = readOrderClause(clause, EXPERIMENT_GRAMMAR);
    if (entity !== 'attribute') throw invalidParameter(`Invalid order_by entity: ${entity}`);
  }
  const offset = readPageOffset(pageToken);
  for (const comparison of comparisons) checkBinding(comparison);
  checkDatabaseInteger(offset);
}

/** A clause that MLflow's parser takes; a null test has no value. Comparators are as written: their case matters. */
interface Comparison extends Identifier {
  readonly comparator: string;
  readonly value: Value | undefined;
}

function readComparison({ left, comparator, right }: Clause): Comparison {
  const identifier = readIdentifier(left.text, EXPERIMENT_GRAMMAR, EXPERIMENT_GRAMMAR.attributes);
  if (!right && identifier.entity !== 'tag')
    throw invalidParameter(`IS NULL / IS NOT NULL is only supported for tags, not for attribute '${identifier.key}'`);
  return { ...identifier, comparator, value: right && readValue(identifier, right, EXPERIMENT_GRAMMAR) };
}

const TEXTS = ['!=', '=', 'LIKE', 'ILIKE'];
const MEMBERS = ['IN', 'NOT IN'];
const NUMBERS = ['>', '>=', '!=', '=', '<', '<='];

function checkComparator({ entity, key, comparator, value }: Comparison): void {
  if (entity === 'tag') checkTag(comparator, value);
  else if (key === 'experiment_id') checkId(comparator, value);
  else checkAttribute(key, comparator, value);
}

function checkTag(comparator: string, value: Value | undefined): void {
  if (value && !TEXTS.includes(comparator)) throw invalidParameter(`Invalid comparator for tag: ${comparator}`);
}

function checkAttribute(key: string, comparator: string, value: Value | undefined): void {
  const named = `Invalid comparator '${comparator}' not one of '${pythonSet([...TEXTS, ...MEMBERS])}`;
  if (!EXPERIMENT_GRAMMAR.numberAttributes.has(key)) {
    if (!TEXTS.includes(comparator)) throw invalidParameter(`${named}'`);
    return;
  }
  if (!NUMBERS.includes(comparator)) throw invalidParameter(named);
  if (value?.kind === 'float')
    throw invalidParameter(`Invalid value for numeric attribute '${key}': '${pythonFloat(Number(value.texts[0]))}'`);
}

function checkId(comparator: string, value: Value | undefined): void {
  if (!['=', '!=', ...MEMBERS].includes(comparator))
    throw invalidParameter(`Invalid comparator for experiment_id: ${comparator}`);
  value?.texts.forEach(readExperimentId);
}

/** What only MLflow's database refuses. */
function checkBinding({ entity, key, value, comparator }: Comparison): void {
  if (entity !== 'attribute' || key === 'name') return;
  if (value?.kind === 'list' && !MEMBERS.includes(comparator))
    throw new GatewayError('BAD_REQUEST', `A list cannot be compared with ${comparator}.`);
  value?.texts.forEach(checkDatabaseText);
}
