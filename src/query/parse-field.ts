import type { DatasetKey, Field } from './ast.ts';
import { DATASET_KEYS, type FieldTable } from './fields.ts';
import type { TokenReader } from './token-reader.ts';
import type { Token } from './tokenizer.ts';

// MLflow's lexer takes these for SQL keywords even right after a dot.
const RESERVED = new Set(['CASE', 'IN', 'VALUES', 'USING', 'FROM', 'AS']);
/** Entity words that are SQL keywords to MLflow's lexer unless a dot and no digit follow. */
export const KEYWORD_ENTITIES = new Set(['parameter', 'parameters']);

/** The text between the quotes of a quoted token. */
export const unquote = ({ text }: Token) => text.slice(1, -1);

/**
 * Reads `[entity "."] key`.
 * @throws FilterSyntaxError for anything MLflow refuses, and for spellings it reads in surprising ways.
 */
export function parseField(reader: TokenReader, table: FieldTable): Field {
  const first = reader.next();
  if (reader.peek().kind === 'dot' && !reader.peek().spaced) return parseDotted(reader, table, first);
  if (first.kind !== 'word' && first.kind !== 'backticked' && first.kind !== 'double-quoted')
    throw reader.fail('Expected a field such as metrics.accuracy, params.lr or status', first);
  return attribute(reader, table, first.kind === 'word' ? first.text : unquote(first), first);
}

function parseDotted(reader: TokenReader, table: FieldTable, first: Token): Field {
  const entity = entityOf(table, first);
  if (!entity) throw reader.fail(`Unknown entity; expected one of ${[...table.entities.keys()].join(', ')}`, first);
  reader.next();
  const at = reader.peek();
  const key = parseKey(reader, KEYWORD_ENTITIES.has(first.text));
  if (entity === 'attribute') return attribute(reader, table, key, at);
  if (entity !== 'dataset') return { entity, key };
  if (!DATASET_KEYS.has(key)) throw reader.fail('Unknown dataset key; expected name, digest or context', at);
  return { entity, key: key as DatasetKey };
}

function entityOf(table: FieldTable, { kind, text }: Token): Field['entity'] | undefined {
  if (kind === 'word') return table.entities.get(text);
  // Experiments take no quotes around the entity.
  return kind === 'backticked' && table.operatorsIgnoreCase ? table.entities.get(text.slice(1, -1)) : undefined;
}

function attribute(reader: TokenReader, table: FieldTable, name: string, at: Token): Field {
  const key = table.attributes.get(name);
  if (!key) throw reader.fail(`Unknown attribute; expected one of ${[...table.attributes.keys()].join(', ')}`, at);
  return { entity: 'attribute', key };
}

/** Reads the part after the entity's dot. */
export function parseKey(reader: TokenReader, afterKeyword: boolean): string {
  const token = reader.next();
  if (token.spaced) throw reader.fail('A blank after the dot would belong to the key; quote the key', token);
  if (token.kind === 'word') return parseBareKey(reader, token, afterKeyword);
  const key = unquote(token);
  if (token.kind === 'backticked') return endOfKey(reader, key);
  if (token.kind !== 'single-quoted' && token.kind !== 'double-quoted') throw reader.fail('Expected a key', token);
  // MLflow removes the backticks inside the quotes as well.
  if (key.startsWith('`') && key.endsWith('`')) throw reader.fail('Quote a key once', token);
  return endOfKey(reader, key);
}

function endOfKey(reader: TokenReader, key: string): string {
  const { kind, spaced } = reader.peek();
  if (!spaced && kind !== 'operator' && kind !== 'end')
    throw reader.fail('A quoted key ends at its quote', reader.peek());
  return key;
}

function parseBareKey(reader: TokenReader, first: Token, afterKeyword: boolean): string {
  if (!isBareName(first.text) && (afterKeyword || !isDigitName(first.text)))
    throw reader.fail('Put this key in backticks', first);
  let key = first.text;
  while (reader.peek().kind === 'dot' && !reader.peek().spaced) {
    reader.next();
    const part = reader.next();
    if (part.kind !== 'word' || part.spaced || !isBareName(part.text))
      throw reader.fail('Put this key in backticks', part);
    key += `.${part.text}`;
  }
  return endOfKey(reader, key);
}

/** A name that MLflow's lexer takes whole after a dot. */
function isBareName(name: string): boolean {
  if (RESERVED.has(name.toUpperCase()) || /^\d/.test(name)) return false;
  // Words of other scripts are looked up among SQL keywords in upper case; some have an ASCII one.
  return /^[A-Za-z_]/.test(name) || /[^\0-\x7f]/.test(name.toUpperCase());
}

/** One digit and then a letter: more digits, an exponent or a hexadecimal number would be cut in two. */
const isDigitName = (name: string) => /^\d[\p{L}_]/u.test(name) && !/^(?:\d[eE]\d|0[xX][\da-fA-F])/.test(name);
