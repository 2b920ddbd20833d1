import { invalidParameter } from '../../errors/gateway-error.ts';
import { DATASET_KEYS } from '../fields.ts';
import { type Identifier, pythonSet, type SearchGrammar } from './search-grammar.ts';

/** A text without this pair of quotes around it. */
export const stripPair = (text: string, quote: string): string =>
  text.length >= 2 && text.startsWith(quote) && text.endsWith(quote) ? text.slice(1, -1) : text;

/** The key without one pair of quotes and then one pair of backticks. */
function unquoteKey(key: string): string {
  const single = stripPair(key, "'");
  return stripPair(single === key ? stripPair(key, '"') : single, '`');
}

/**
 * Reads `[entity "."] key` off the text of an identifier, which is cut at its first dot (`_get_identifier`).
 * @throws GatewayError with MLflow's words for an entity, attribute or dataset key that it does not know.
 */
export function readIdentifier(text: string, grammar: SearchGrammar, attributes: ReadonlySet<string>): Identifier {
  const dot = text.indexOf('.');
  const word = dot === -1 ? 'attribute' : text.slice(0, dot);
  const name = grammar.entityInBackticks ? stripPair(word, '`') : word;
  const entity = grammar.entities.get(name);
  if (!entity) throw invalidParameter(`Invalid entity type '${name}'. ${grammar.entityHint}`);
  const key = unquoteKey(text.slice(dot + 1));
  if (entity === 'attribute' && !attributes.has(key))
    throw invalidParameter(`Invalid attribute key '${key}' specified. Valid keys are '${pythonSet(attributes)}'`);
  if (entity === 'dataset' && !DATASET_KEYS.has(key))
    throw invalidParameter(`Invalid dataset key '${key}' specified. Valid keys are '${pythonSet(DATASET_KEYS)}'`);
  return { entity, key };
}
