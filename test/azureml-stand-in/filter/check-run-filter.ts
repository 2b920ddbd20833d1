import { refusal } from '../azure-error.ts';
import type { RuleName, Rules } from '../rules.ts';
import type { Filter, Term } from './parse.ts';

/** Each entity by the spellings of MLflow; the first is the documented one. */
const SPELLINGS = {
  metrics: ['metrics', 'metric'],
  params: ['params', 'param', 'parameter', 'parameters'],
  tags: ['tags', 'tag'],
  attributes: ['attributes', 'attribute', 'attr', 'run', ''],
  datasets: ['datasets', 'dataset'],
} as const;
type Entity = keyof typeof SPELLINGS;

/** What messages call it; only that of tags has been seen. */
const KEY_TYPE: Record<Entity, string> = {
  metrics: 'Metric',
  params: 'Parameter',
  tags: 'Tag',
  attributes: 'Attribute',
  datasets: 'Dataset',
};

const DOCUMENTED_ATTRIBUTES = ['status', 'user_id', 'run_id', 'creation_time', 'duration'];
const NUMERIC_ATTRIBUTES = ['creation_time', 'duration', 'start_time', 'end_time'];
const ATTRIBUTES = [...DOCUMENTED_ATTRIBUTES, ...NUMERIC_ATTRIBUTES, 'run_name', 'artifact_uri'];
const DATASET_KEYS = ['name', 'digest', 'context'];

const EQUALITY = ['=', '!='];
const ORDER = ['<', '<=', '>', '>='];
const LIKES = ['LIKE', 'ILIKE'];
const NULL_TESTS = ['IS NULL', 'IS NOT NULL'];
const LISTS = ['IN', 'NOT IN'];

const unsupported = ({ entity, comparator }: Term): string =>
  `Operator '${comparator}' not supported for key type '${KEY_TYPE[entity as Entity]}'.`;

interface TermRule {
  readonly rule: RuleName;
  readonly refuses: (term: Term) => boolean;
  readonly message: (term: Term) => string;
}

const isQuoted = ({ keyQuote }: Term): boolean => keyQuote !== undefined;
const hasLike = ({ comparator }: Term): boolean => LIKES.includes(comparator);
const isAttribute = ({ entity }: Term): boolean => entity === 'attributes';

const TERM_RULES: readonly TermRule[] = [
  {
    rule: 'datasetsRefused',
    refuses: ({ entity }) => entity === 'datasets',
    message: () => "Key type 'datasets' is not supported in filters.",
  },
  {
    rule: 'tagNotEqualRefused',
    refuses: ({ entity, comparator }) => entity === 'tags' && comparator === '!=',
    message: unsupported,
  },
  { rule: 'tagLikeRefused', refuses: (term) => term.entity === 'tags' && hasLike(term), message: unsupported },
  { rule: 'likeRefused', refuses: (term) => term.entity !== 'tags' && hasLike(term), message: unsupported },
  { rule: 'nullTestsRefused', refuses: ({ comparator }) => NULL_TESTS.includes(comparator), message: unsupported },
  { rule: 'notInRefused', refuses: ({ comparator }) => comparator === 'NOT IN', message: unsupported },
  {
    rule: 'quotedMetricKeysRefused',
    refuses: (term) => term.entity === 'metrics' && isQuoted(term),
    message: ({ key }) => `Metric key '${key}' must not be quoted.`,
  },
  {
    rule: 'quotedKeysRefused',
    refuses: (term) => (term.entity === 'params' || term.entity === 'tags') && isQuoted(term),
    message: ({ key }) => `Key '${key}' must not be quoted.`,
  },
  {
    rule: 'doubleQuotedValuesRefused',
    refuses: ({ values }) => values.some(({ kind }) => kind === 'double'),
    message: ({ key }) => `The value of '${key}' must be in single quotes.`,
  },
  {
    rule: 'documentedAttributesOnly',
    refuses: (term) => isAttribute(term) && !DOCUMENTED_ATTRIBUTES.includes(term.key),
    message: ({ key }) => `Invalid attribute key '${key}'. Valid keys are: ${DOCUMENTED_ATTRIBUTES.join(', ')}.`,
  },
  {
    rule: 'unquotedAttributesRefused',
    refuses: (term) => isAttribute(term) && term.values.some(({ kind }) => kind === 'number'),
    message: ({ key }) => `Expected a quoted string value for attribute '${key}'.`,
  },
  {
    rule: 'statusFilterRefused',
    refuses: (term) => isAttribute(term) && term.key === 'status',
    message: () => "Filtering on attribute 'status' is not supported.",
  },
  {
    rule: 'runIdOnlyIn',
    refuses: (term) => isAttribute(term) && term.key === 'run_id' && !LISTS.includes(term.comparator),
    message: unsupported,
  },
];

/**
 * The filter with the documented names of entities.
 * @throws AzureError for what the rules, or the grammar whatever the rules, refuse.
 */
export function checkRunFilter(filter: Filter, text: string, rules: Rules): Filter {
  if (rules.orRefused && filter.length > 1)
    throw refusal(
      `Currently unsupported filter string format (we currently do not support OR). Provided filter string: ${text}`,
    );
  return filter.map((terms) => terms.map((term) => checkTerm(term, rules)));
}

function checkTerm(written: Term, rules: Rules): Term {
  const term = { ...written, entity: entityOf(written, rules) };
  const broken = TERM_RULES.find(({ rule, refuses }) => rules[rule] && refuses(term));
  if (broken) throw refusal(broken.message(term));
  if (!comparatorsOf(term).includes(term.comparator)) throw refusal(unsupported(term));
  checkValues(term);
  return term;
}

function entityOf({ entity, key }: Term, rules: Rules): Entity {
  const names = Object.keys(SPELLINGS) as Entity[];
  const known = names.find((name) => (SPELLINGS[name] as readonly string[]).includes(entity));
  if (known && (!rules.documentedEntitiesOnly || known === entity)) return known;
  throw refusal(`Invalid key type '${entity}' of '${key}'. Valid key types are: metrics, params, tags, attributes.`);
}

function comparatorsOf({ entity, key }: Term): readonly string[] {
  switch (entity as Entity) {
    case 'metrics':
      return [...EQUALITY, ...ORDER];
    case 'params':
    case 'tags':
      return [...EQUALITY, ...LIKES, ...NULL_TESTS];
    case 'datasets':
      if (!DATASET_KEYS.includes(key)) throw refusal(`Invalid dataset key '${key}'.`);
      return [...EQUALITY, ...LIKES, ...LISTS];
    case 'attributes':
      if (!ATTRIBUTES.includes(key)) throw refusal(`Invalid attribute key '${key}'.`);
      if (NUMERIC_ATTRIBUTES.includes(key)) return [...EQUALITY, ...ORDER];
      return key === 'run_id' ? [...EQUALITY, ...LIKES, ...LISTS] : [...EQUALITY, ...LIKES];
  }
}

/** Numbers for metrics; for attributes with times numbers, quoted or not; else texts. */
function checkValues({ entity, key, values }: Term): void {
  for (const { kind, text } of values) {
    if (entity === 'metrics' && kind !== 'number')
      throw refusal(`Expected a numeric value for metric '${key}'. Found '${text}'.`);
    if (entity === 'attributes' && NUMERIC_ATTRIBUTES.includes(key)) {
      if (!/^-?\d+$/.test(text)) throw refusal(`Expected a whole number for attribute '${key}'. Found '${text}'.`);
    } else if (entity !== 'metrics' && kind === 'number')
      throw refusal(`Expected a quoted string value for '${key}'. Found ${text}.`);
  }
}
