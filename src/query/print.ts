import type { Field, Filter, Leaf, Visitor } from './ast.ts';
import { visit } from './ast.ts';

type Quote = "'" | '"' | '`';

/**
 * Whether MLflow reads `quote + text + quote` as exactly this text. It has no escapes: a quote inside must be doubled
 * or stand behind a backslash, and is kept so.
 */
function fits(text: string, quote: Quote): boolean {
  for (let i = 0; i < text.length; i++) {
    const escaped = quote !== '`' && text[i] === '\\' && text[i + 1] === quote;
    const doubled = text[i] === quote && text[i + 1] === quote;
    if (escaped || doubled) i++;
    else if (text[i] === quote) return false;
  }
  return quote === '`' || !text.endsWith('\\');
}

const quoteWith = (text: string, quotes: readonly Quote[]): string | undefined => {
  const quote = quotes.find((candidate) => fits(text, candidate));
  return quote && quote + text + quote;
};

/** A key as MLflow reads it back; undefined when no spelling gives it. */
export function printKey(key: string): string | undefined {
  const backticks = key.includes('`') ? undefined : `\`${key}\``;
  // Inside double quotes MLflow would take off an outer pair of backticks as well.
  return backticks ?? (key.startsWith('`') && key.endsWith('`') ? undefined : quoteWith(key, ['"', "'"]));
}

function printField(field: Field): string | undefined {
  if (field.entity === 'attribute') return field.key;
  if (field.entity === 'dataset') return `dataset.${field.key}`;
  const key = printKey(field.key);
  return key && `${field.entity}.${key}`;
}

/** A number as MLflow's lexer knows it: no `+` in the exponent, infinity as a literal that overflows. */
export function printNumber(value: number | bigint): string {
  if (value === Number.POSITIVE_INFINITY) return '1e400';
  if (value === Number.NEGATIVE_INFINITY) return '-1e400';
  return String(value).replace('e+', 'e');
}

/** A Python string literal that MLflow's SQL lexer cuts where Python does. */
const printElement = (text: string) =>
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what has to be escaped
  `'${text.replace(/[\x00-\x1f\\'"\x7f]/g, (character) => `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`)}'`;

const join = (...parts: readonly (string | undefined)[]) =>
  parts.some((part) => part === undefined) ? undefined : parts.join(' ');

const printValue = (value: string | number | bigint) =>
  typeof value === 'string' ? quoteWith(value, ["'", '"']) : printNumber(value);

/** One leaf as a clause that MLflow reads back to the same leaf; undefined when its grammar has none. */
export function printLeaf(leaf: Leaf): string | undefined {
  const field = printField(leaf.field);
  switch (leaf.kind) {
    case 'compare':
      return join(field, leaf.op, printValue(leaf.value));
    case 'match':
      return join(field, leaf.ignoreCase ? 'ILIKE' : 'LIKE', printValue(leaf.pattern));
    case 'member':
      return join(field, leaf.negated ? 'NOT IN' : 'IN', `(${leaf.values.map(printElement).join(', ')})`);
    case 'null-test':
      return join(field, leaf.negated ? 'IS NOT NULL' : 'IS NULL');
  }
}

// Only trees built in code hold what MLflow's grammar lacks; their canonical form need not be MLflow's.
const printAnyLeaf = (leaf: Leaf): string =>
  printLeaf(leaf) ??
  JSON.stringify({ ...leaf, span: undefined }, (_key, value) => (typeof value === 'bigint' ? `${value}n` : value));

const printer: Visitor<string> = {
  and: ({ terms }) => printTerms(terms, ' AND ') || 'TRUE',
  or: ({ terms }) => printTerms(terms, ' OR ') || 'FALSE',
  not: ({ term }) => `NOT (${visit(term, printer)})`,
  compare: printAnyLeaf,
  match: printAnyLeaf,
  member: printAnyLeaf,
  'null-test': printAnyLeaf,
};

const printTerms = (terms: readonly Filter[], separator: string) =>
  [
    ...new Set(
      terms.map((term) =>
        term.kind === 'and' || term.kind === 'or' ? `(${visit(term, printer)})` : visit(term, printer),
      ),
    ),
  ]
    .sort()
    .join(separator);

/**
 * The canonical text of a filter: aliases resolved, one way of quoting, terms sorted and each once. Two filters with
 * one text mean the same. A tree that MLflow's grammar can express prints as text that parses back to it.
 */
export const printFilter = (filter: Filter | undefined): string => (filter ? visit(filter, printer) : '');
