import type { Field } from './ast.ts';
import { EXPERIMENT_FIELDS, RUN_FIELDS, RUN_ORDER_ATTRIBUTES } from './fields.ts';
import { FilterSyntaxError } from './filter-syntax-error.ts';
import { sameField } from './order.ts';
import { KEYWORD_ENTITIES, parseKey, unquote } from './parse-field.ts';
import type { OrderField, OrderKey } from './run-query.ts';
import { TokenReader } from './token-reader.ts';
import type { Token } from './tokenizer.ts';

/** What one kind of entity can be ordered by. */
interface OrderTable {
  readonly entities: ReadonlyMap<string, Field['entity']>;
  readonly attributes: ReadonlyMap<string, Extract<Field, { entity: 'attribute' }>['key']>;
}

const ONLY_ATTRIBUTES = new Map<string, Field['entity']>([['attribute', 'attribute']]);
const RUNS: OrderTable = { entities: RUN_FIELDS.entities, attributes: RUN_ORDER_ATTRIBUTES };
const EXPERIMENTS: OrderTable = { entities: ONLY_ATTRIBUTES, attributes: EXPERIMENT_FIELDS.attributes };

/**
 * Parses the `order_by` list of `runs/search`.
 * @throws FilterSyntaxError for what MLflow refuses, duplicates among them, and for what this grammar is not sure of.
 */
export function parseRunOrder(clauses: readonly string[]): readonly OrderKey[] {
  const keys = clauses.map((clause) => parseClause(clause, RUNS));
  for (const [i, key] of keys.entries())
    if (keys.slice(0, i).some(({ field }) => sameField(field, key.field)))
      throw new FilterSyntaxError('This field is ordered by twice.', clauses[i] ?? '', 0);
  return keys;
}

/** Parses the `order_by` list of `experiments/search`, where a field may come twice. @throws FilterSyntaxError */
export const parseExperimentOrder = (clauses: readonly string[]): readonly OrderKey[] =>
  clauses.map((clause) => parseClause(clause, EXPERIMENTS));

/** clause = [entity "."] key [ASC | DESC], with no blanks around it */
function parseClause(clause: string, table: OrderTable): OrderKey {
  if (clause !== clause.trim()) throw new FilterSyntaxError('Blanks around an order clause.', clause, 0);
  const reader = new TokenReader(clause);
  const field = parseOrderField(reader, table);
  const descending = parseDirection(reader);
  if (reader.peek().kind !== 'end') throw reader.fail('Expected the end of the clause', reader.peek());
  return { field, descending };
}

function parseDirection(reader: TokenReader): boolean {
  const token = reader.peek();
  if (token.kind === 'end') return false;
  if (!token.spaced) throw reader.fail('Expected a blank', token);
  if (reader.takeWord('DESC')) return true;
  if (!reader.takeWord('ASC')) throw reader.fail('Expected ASC or DESC', token);
  return false;
}

function parseOrderField(reader: TokenReader, table: OrderTable): OrderField {
  const first = reader.next();
  if (first.kind === 'double-quoted' || first.kind === 'backticked') return quotedField(reader, table, first);
  if (first.kind !== 'word') throw reader.fail('Expected a field such as metrics.accuracy or start_time', first);
  if (reader.peek().kind !== 'dot' || reader.peek().spaced) return attribute(reader, table, first.text, first);
  const entity = table.entities.get(first.text);
  if (!entity || entity === 'dataset') throw reader.fail('Cannot be ordered by this', first);
  reader.next();
  const at = reader.peek();
  const key = parseOrderKey(reader, KEYWORD_ENTITIES.has(first.text));
  return entity === 'attribute' ? attribute(reader, table, key, at) : { entity, key };
}

/** Words, dots and blanks inside: what means the same with the quotes and without them. */
const PLAIN = /^(?:(\w+)\.)?(\w(?:[\w ./-]*\w)?)$/;

/** A field that stands in quotes as a whole, which MLflow takes off only when a direction follows. */
function quotedField(reader: TokenReader, table: OrderTable, token: Token): OrderField {
  const [, prefix, key = ''] = PLAIN.exec(unquote(token)) ?? [];
  if (key === '' || reader.peek().kind === 'end') throw reader.fail('Expected a field without quotes around it', token);
  const entity = prefix === undefined ? 'attribute' : table.entities.get(prefix);
  if (!entity || entity === 'dataset') throw reader.fail('Cannot be ordered by this', token);
  return entity === 'attribute' ? attribute(reader, table, key, token) : { entity, key };
}

function attribute(reader: TokenReader, { attributes }: OrderTable, name: string, at: Token): OrderField {
  const key = attributes.get(name);
  if (!key) throw reader.fail(`Expected one of ${[...attributes.keys()].join(', ')}`, at);
  return { entity: 'attribute', key };
}

/**
 * MLflow splits a clause as a shell would, backticks taken as double quotes. Without a direction only the count of words
 * matters; with one the split word is what it goes on with, and that loses one more level of quotes.
 */
function parseOrderKey(reader: TokenReader, afterKeyword: boolean): string {
  const token = reader.peek();
  const key = parseKey(reader, afterKeyword);
  if (token.kind === 'word') return key;
  const directed = reader.peek().kind !== 'end';
  const plain =
    token.kind === 'single-quoted' ? /^[^'`]*$/ : directed ? /^(?:[^"`\\]|\\(?!\\|$))*$/ : /^[^"`]*(?<!\\)$/;
  const unquotedAgain = /^(['"]).*\1$/s.test(key) || /[\s\p{Cc}]$/u.test(key);
  if (!plain.test(unquote(token)) || (directed && unquotedAgain))
    throw reader.fail('Quotes, backslashes and outer blanks in this key are read in surprising ways', token);
  return key;
}
