import { refusal } from '../azure-error.ts';
import type { Rules } from '../rules.ts';
import type { Filter, Term } from './parse.ts';

const ATTRIBUTES = ['experiment_id', 'name', 'creation_time', 'last_update_time'];
const COMPARE = ['=', '!=', '<', '<=', '>', '>='];
const TEXT = ['=', '!=', 'LIKE', 'ILIKE', 'IN', 'NOT IN', 'IS NULL', 'IS NOT NULL'];

/** The filter with `tags` or `''` for entities. @throws AzureError for what the rules, or the grammar, refuse. */
export function checkExperimentFilter(filter: Filter, text: string, rules: Rules): Filter {
  if (filter.length > 1)
    throw refusal(
      `Currently unsupported filter string format (we currently do not support OR). Provided filter string: ${text}`,
    );
  return filter.map((terms) => terms.map((term) => checkTerm(term, rules)));
}

function checkTerm(written: Term, rules: Rules): Term {
  const term = { ...written, entity: entityOf(written) };
  const { key, comparator } = term;
  const isAllowed = rules.documentedExperimentTerms ? isDocumented(term) : comparatorsOf(term).includes(comparator);
  if (!isAllowed) throw refusal(`Operator '${comparator}' not supported for key '${key}'.`);
  if (!hasFittingValues(term)) throw refusal(`Invalid value for key '${key}'.`);
  return term;
}

function entityOf({ entity, key }: Term): string {
  if (entity === 'tags' || entity === 'tag') return 'tags';
  if ((entity === '' || entity === 'attribute') && ATTRIBUTES.includes(key)) return '';
  throw refusal(`Invalid key '${entity ? `${entity}.` : ''}${key}' in the filter of experiments.`);
}

function isDocumented({ entity, key, comparator }: Term): boolean {
  if (entity === 'tags' || key === 'name') return comparator === '=';
  return key === 'experiment_id' ? comparator === 'IN' : key === 'creation_time' && COMPARE.includes(comparator);
}

const isTime = ({ entity, key }: Term): boolean => entity === '' && key.endsWith('_time');

const comparatorsOf = (term: Term): readonly string[] => (isTime(term) ? COMPARE : TEXT);

const hasFittingValues = (term: Term): boolean => term.values.every(({ kind }) => (kind === 'number') === isTime(term));
