import type { Compare, CompareOp, Field, Filter, Leaf } from './ast.ts';
import { EXPERIMENT_FIELDS, type FieldTable, RUN_FIELDS } from './fields.ts';
import { FilterSyntaxError } from './filter-syntax-error.ts';
import { parseField, unquote } from './parse-field.ts';
import { parseInteger, parseNumber } from './parse-number.ts';
import { parseStringList } from './parse-string-list.ts';
import { TokenReader } from './token-reader.ts';

/** Longest filter that is parsed, in UTF-16 units; MLflow itself stops at 10,000 tokens. */
export const MAX_FILTER_LENGTH = 65_536;

const COMPARE_OPS: ReadonlySet<string> = new Set<CompareOp>(['=', '!=', '<', '<=', '>', '>=']);
const TEXT_OPS: ReadonlySet<string> = new Set<CompareOp>(['=', '!=']);

/**
 * Parses a filter of `runs/search`; undefined when it asks for nothing.
 * @throws FilterSyntaxError for what MLflow refuses and for what this grammar is not sure of.
 */
export const parseRunFilter = (text: string): Filter | undefined => parseFilter(text, RUN_FIELDS);

/** Parses a filter of `experiments/search`; as {@link parseRunFilter}. */
export const parseExperimentFilter = (text: string, fields = EXPERIMENT_FIELDS): Filter | undefined =>
  parseFilter(text, fields);

/** filter = [ clause { AND clause } ], with any number of ANDs between, before and after. */
function parseFilter(text: string, table: FieldTable): Filter | undefined {
  if (text === '') return undefined;
  if (text.length > MAX_FILTER_LENGTH) throw new FilterSyntaxError('This filter is too long.', text, MAX_FILTER_LENGTH);
  const reader = new TokenReader(text);
  if (reader.peek().kind === 'end') throw reader.fail('Expected a clause', reader.peek());
  const terms: Leaf[] = [];
  for (let separated = true; reader.peek().kind !== 'end'; ) {
    const start = reader.peek();
    if (reader.takeWord('AND')) {
      requireBlank(reader);
      separated = true;
      continue;
    }
    const previous = terms.at(-1);
    const term = parseClause(reader, table);
    if (!separated && !(previous && mayFollow(previous, term, text)))
      throw reader.fail('Expected AND before this clause', start);
    terms.push(term);
    separated = false;
  }
  return terms.length === 0 ? undefined : { kind: 'and', terms };
}

/**
 * MLflow takes clauses without AND between them, but a name after a double-quoted value or a list is swallowed as its
 * alias. Sure are two comparisons, the first with a number or a single-quoted value, and two null tests.
 */
function mayFollow(previous: Leaf, next: Leaf, text: string): boolean {
  const isNullTest = (leaf: Leaf) => leaf.kind === 'null-test';
  if (isNullTest(previous) || isNullTest(next)) return isNullTest(previous) && isNullTest(next);
  return previous.kind !== 'member' && next.kind !== 'member' && text[(previous.span?.end ?? 0) - 1] !== '"';
}

function requireBlank(reader: TokenReader): void {
  const token = reader.peek();
  if (!token.spaced && token.kind !== 'end') throw reader.fail('Expected a blank', token);
}

/** clause = field op value | field [NOT] IN list | field IS [NOT] NULL */
function parseClause(reader: TokenReader, table: FieldTable): Leaf {
  const start = reader.peek();
  const field = parseField(reader, table);
  const leaf = parseTest(reader, table, field);
  const after = reader.peek();
  const gluedAnd = after.kind === 'word' && after.text.toUpperCase() === 'AND' && reader.text[after.start - 1] === "'";
  if (!gluedAnd) requireBlank(reader);
  return { ...leaf, span: { start: start.start, end: endBefore(reader) } };
}

const endBefore = (reader: TokenReader) => reader.text.slice(0, reader.peek().start).trimEnd().length;

function parseTest(reader: TokenReader, table: FieldTable, field: Field): Leaf {
  const token = reader.peek();
  const exactCase = !table.operatorsIgnoreCase;
  if (token.kind === 'operator') return parseComparison(reader, table, field);
  if (!token.spaced) throw reader.fail('Expected a comparison', token);
  if (reader.takeWord('IS')) return parseNullTest(reader, table, field);
  if (reader.takeWord('NOT', exactCase)) {
    if (!reader.takeWord('IN', exactCase)) throw reader.fail('Expected IN', reader.peek());
    return parseMember(reader, table, field, true);
  }
  if (reader.takeWord('IN', exactCase)) return parseMember(reader, table, field, false);
  if (reader.takeWord('LIKE', exactCase)) return parseMatch(reader, table, field, false);
  if (reader.takeWord('ILIKE', exactCase)) return parseMatch(reader, table, field, true);
  throw reader.fail('Expected a comparison', token);
}

const isNumeric = (table: FieldTable, { entity, key }: Field) =>
  entity === 'metric' || (entity === 'attribute' && table.numberAttributes.has(key));

function parseComparison(reader: TokenReader, table: FieldTable, field: Field): Compare {
  const token = reader.next();
  const numeric = isNumeric(table, field);
  if (!(numeric ? COMPARE_OPS : TEXT_OPS).has(token.text))
    throw reader.fail(`Expected ${[...(numeric ? COMPARE_OPS : TEXT_OPS)].join(' ')}`, token);
  const op = token.text as CompareOp;
  if (field.entity === 'metric') return { kind: 'compare', field, op, value: parseNumber(reader) };
  if (numeric) return { kind: 'compare', field, op, value: parseInteger(reader, table.operatorsIgnoreCase) };
  return { kind: 'compare', field, op, value: parseText(reader, table, field) };
}

function parseText(reader: TokenReader, table: FieldTable, field: Field): string {
  const token = reader.next();
  if (token.kind !== 'single-quoted' && token.kind !== 'double-quoted')
    throw reader.fail('Expected a text in single or double quotes', token);
  const text = unquote(token);
  if (field.key === 'experiment_id') requireId(reader, table, text, token);
  return text;
}

function requireId(
  reader: TokenReader,
  { experimentId }: FieldTable,
  text: string,
  token: Parameters<TokenReader['fail']>[1],
): void {
  if (!experimentId.test(text)) throw reader.fail('Expected an experiment id', token);
}

function parseMatch(reader: TokenReader, table: FieldTable, field: Field, ignoreCase: boolean): Leaf {
  const token = reader.peek();
  if (isNumeric(table, field) || field.key === 'experiment_id') throw reader.fail('LIKE is for texts', token);
  return { kind: 'match', field, pattern: parseText(reader, table, field), ignoreCase };
}

function parseMember(reader: TokenReader, table: FieldTable, field: Field, negated: boolean): Leaf {
  const token = reader.peek();
  const takesList = field.entity === 'dataset' || (field.entity === 'attribute' && table.listAttributes.has(field.key));
  if (!takesList) throw reader.fail('This field takes no list', token);
  const values = parseStringList(reader);
  if (field.key === 'experiment_id') for (const value of values) requireId(reader, table, value, token);
  return { kind: 'member', field, values, negated };
}

function parseNullTest(reader: TokenReader, table: FieldTable, field: Field): Leaf {
  const first = reader.peek();
  const negated = reader.takeWord('NOT');
  const word = reader.peek();
  // MLflow's lexer has NOT NULL as one token and compares it with exactly one blank in it.
  const plain = !negated || reader.text.slice(first.start, word.end).toUpperCase() === 'NOT NULL';
  if (!reader.takeWord('NULL') || !plain) throw reader.fail('Expected NULL or NOT NULL', first);
  if (!table.nullTests.has(field.entity)) throw reader.fail('IS NULL is for keys that a run may lack', first);
  return { kind: 'null-test', field, negated };
}
