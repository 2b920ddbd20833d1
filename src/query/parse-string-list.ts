import { unquote } from './parse-field.ts';
import type { TokenReader } from './token-reader.ts';
import type { Token } from './tokenizer.ts';

/** Longest IN list that is parsed. */
export const MAX_LIST_LENGTH = 1_000;

/**
 * Reads `( "a", 'b', )`. MLflow evaluates the list as a Python literal; understood are plain strings with `\xHH`
 * escapes. Other escapes, prefixes, nesting and adjacent strings, which Python joins, are refused.
 */
export function parseStringList(reader: TokenReader): readonly string[] {
  const open = reader.next();
  if (open.kind !== '(') throw reader.fail('Expected a list in parentheses', open);
  const values: string[] = [];
  for (;;) {
    values.push(parseElement(reader, reader.next()));
    if (values.length > MAX_LIST_LENGTH) throw reader.fail('This list is too long', open);
    const separator = reader.next();
    if (separator.kind === ')') return values;
    if (separator.kind !== ',') throw reader.fail('Expected , or )', separator);
    if (reader.peek().kind === ')') {
      reader.next();
      return values;
    }
  }
}

function parseElement(reader: TokenReader, token: Token): string {
  if (token.kind !== 'single-quoted' && token.kind !== 'double-quoted')
    throw reader.fail('Expected a text in single or double quotes', token);
  const text = unquote(token);
  const plain = text.replace(/\\x(?!00)[\da-fA-F]{2}/g, '');
  if (/[\\\r\n]/.test(plain) || plain.includes(token.text.charAt(0)))
    throw reader.fail('Only plain texts and \\xHH escapes are understood in a list', token);
  return text.replace(/\\x([\da-fA-F]{2})/g, (_escape, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}
