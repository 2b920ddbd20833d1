import { invalidParameter } from '../../errors/gateway-error.ts';
import { readTextList } from './python-list.ts';
import { stripPair } from './read-identifier.ts';
import type { Entity, Identifier, SearchGrammar } from './search-grammar.ts';
import type { SqlToken } from './sql-token.ts';

/** A value that MLflow takes: a text without its quotes, a number as written, or a list of texts. */
export interface Value {
  readonly kind: 'integer' | 'float' | 'text' | 'list';
  /** One, but for a list. */
  readonly texts: readonly string[];
}

const KIND_OF_TEXT: Readonly<Partial<Record<Entity, string>>> = {
  parameter: "parameter (e.g. 'my-value')",
  tag: "tag (e.g. 'my-value')",
  attribute: 'attributes',
  dataset: 'dataset attributes',
};

/**
 * The value of a clause (`_get_value`).
 * @throws GatewayError with MLflow's words when it does not suit the identifier.
 */
export function readValue({ entity, key }: Identifier, token: SqlToken, grammar: SearchGrammar): Value {
  if (entity === 'metric') return readNumber('metric', token);
  if (entity === 'attribute' && grammar.numberAttributes.has(key))
    return readNumber(`numeric attribute: ${key}`, token);
  if (token.kind === 'string' || token.kind === 'identifier')
    return { kind: 'text', texts: [unquoteValue(token.text)] };
  if (token.kind !== 'parenthesis' || entity === 'parameter' || entity === 'tag')
    throw invalidParameter(`Expected a quoted string value for ${KIND_OF_TEXT[entity]}. Got value ${token.text}`);
  if (entity === 'attribute' && key !== grammar.listAttribute)
    throw invalidParameter(
      `Only ['${grammar.listAttribute}'] attributes support comparison with a list of quoted string values.`,
    );
  return { kind: 'list', texts: readTextList(token.text) };
}

function readNumber(what: string, { kind, text }: SqlToken): Value {
  if (kind === 'integer' || kind === 'float') return { kind, texts: [text] };
  throw invalidParameter(`Expected numeric value type for ${what}. Found ${text}`);
}

function unquoteValue(text: string): string {
  const unquoted = [stripPair(text, "'"), stripPair(text, '"')].find((inner) => inner !== text);
  if (unquoted !== undefined) return unquoted;
  throw invalidParameter(
    `Parameter value is either not quoted or unidentified quote types used for string value ${text}. Use either single or double quotes.`,
  );
}
