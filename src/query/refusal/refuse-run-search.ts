import { pythonRepr } from '../../domain/python-text.ts';
import { GatewayError, invalidParameter } from '../../errors/gateway-error.ts';
import { checkDatabaseInteger, checkDatabaseText, readExperimentId } from '../database-integer.ts';
import { RUN_ORDER_ATTRIBUTES } from '../fields.ts';
import { readPageOffset } from '../page-offset.ts';
import { parseRunFilter } from '../parse-filter.ts';
import { parseRunOrder } from '../parse-order.ts';
import { type Clause, readClauses } from './read-clauses.ts';
import { readIdentifier } from './read-identifier.ts';
import { readOrderClause } from './read-order-clause.ts';
import { readValue, type Value } from './read-value.ts';
import { refusalOf } from './refusal-of.ts';
import { type Entity, type Identifier, pythonSet, RUN_GRAMMAR } from './search-grammar.ts';

/** A `runs/search` as it was asked, whatever is wrong with it. */
export interface RefusedRunSearch {
  readonly filter: string;
  readonly orderBy: readonly string[];
  readonly pageToken: string;
  readonly experimentIds: readonly string[];
  readonly maxResults: number;
}

/** A clause that MLflow's parser takes; a null test has no value. */
interface Comparison extends Identifier {
  readonly comparator: string;
  readonly value: Value | undefined;
}

/**
 * The error that MLflow gives for a search that our parser refuses, or whose page token, experiment ids or page size
 * are wrong. Where MLflow's accidental grammar would find runs, it is the parser's own error. What MLflow words with an
 * SQL text or a memory address has that error's code and another wording.
 */
export const refuseRunSearch = (search: RefusedRunSearch): GatewayError =>
  refusalOf(
    () => checkRunSearch(search),
    () => {
      parseRunFilter(search.filter);
      parseRunOrder(search.orderBy);
    },
  );

/** MLflow's checks in its order (`SqlAlchemyStore._search_runs`). */
function checkRunSearch({ filter, orderBy, pageToken, experimentIds, maxResults }: RefusedRunSearch): void {
  if (maxResults > 50_000)
    throw invalidParameter(
      `Invalid value ${maxResults} for parameter 'max_results' supplied:  Hint: Value was of type 'int'. See the API docs for more information about request parameters.`,
    );
  if (maxResults < 1)
    throw invalidParameter(
      `Invalid value ${maxResults} for parameter 'max_results' supplied. It must be a positive integer`,
    );
  const comparisons = readClauses(filter, (part) => `'${part}'`, readComparison);
  checkOrder(orderBy);
  for (const comparison of comparisons) checkComparator(comparison);
  const offset = readPageOffset(pageToken);
  experimentIds.map(readExperimentId).forEach(checkDatabaseInteger);
  for (const comparison of comparisons) checkBinding(comparison);
  checkDatabaseInteger(offset);
}

function readComparison({ left, comparator, right }: Clause): Comparison {
  const identifier = readIdentifier(left.text, RUN_GRAMMAR, RUN_GRAMMAR.attributes);
  const { entity, key } = identifier;
  if (!right && entity !== 'tag' && entity !== 'parameter')
    throw invalidParameter(`IS NULL / IS NOT NULL is only supported for tags and params, not for '${entity}' '${key}'`);
  const value = right && readValue(identifier, right, RUN_GRAMMAR);
  return { ...identifier, comparator: comparator.toUpperCase(), value };
}

function checkOrder(clauses: readonly string[]): void {
  const seen = new Set<string>();
  for (const clause of clauses) {
    const { entity, key } = readOrderClause(clause, RUN_GRAMMAR);
    if (entity === 'dataset') throw invalidParameter("Invalid identifier type 'dataset'");
    const field = `${entity}.${entity === 'attribute' ? RUN_ORDER_ATTRIBUTES.get(key) : key}`;
    if (seen.has(field))
      throw new GatewayError(
        'INTERNAL_ERROR',
        `\`order_by\` contains duplicate fields: [${clauses.map(pythonRepr).join(', ')}]`,
      );
    seen.add(field);
  }
}

const NUMBER_COMPARATORS = ['>', '>=', '!=', '=', '<', '<='];
const TEXT_COMPARATORS = ['!=', '=', 'LIKE', 'ILIKE', 'IN', 'NOT IN'];
const KEY_COMPARATORS = ['!=', '=', 'LIKE', 'ILIKE', 'IS NULL', 'IS NOT NULL'];

/** The comparators of each entity, and whether MLflow closes the quote behind them in its message. */
const COMPARATORS: Record<Entity | 'number', { taken: readonly string[]; named?: readonly string[]; end: string }> = {
  metric: { taken: NUMBER_COMPARATORS, end: '' },
  parameter: { taken: KEY_COMPARATORS, end: "'" },
  tag: { taken: KEY_COMPARATORS, end: '' },
  attribute: { taken: TEXT_COMPARATORS, end: "'" },
  number: { taken: NUMBER_COMPARATORS, named: TEXT_COMPARATORS, end: '' },
  dataset: { taken: TEXT_COMPARATORS, end: '' },
};

const isNumber = ({ entity, key }: Identifier) => entity === 'attribute' && RUN_GRAMMAR.numberAttributes.has(key);

function checkComparator(comparison: Comparison): void {
  const { taken, named = taken, end } = COMPARATORS[isNumber(comparison) ? 'number' : comparison.entity];
  if (!taken.includes(comparison.comparator))
    throw invalidParameter(`Invalid comparator '${comparison.comparator}' not one of '${pythonSet(named)}${end}`);
}

/** What only MLflow's database refuses. */
function checkBinding({ entity, value, comparator }: Comparison): void {
  if (value?.kind === 'integer' && entity === 'attribute') value.texts.forEach(checkDatabaseText);
  if (value?.kind === 'list' && !comparator.endsWith('IN'))
    throw new GatewayError('BAD_REQUEST', `A list cannot be compared with ${comparator}.`);
}
