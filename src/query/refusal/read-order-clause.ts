import { invalidParameter } from '../../errors/gateway-error.ts';
import { readIdentifier } from './read-identifier.ts';
import type { Identifier, SearchGrammar } from './search-grammar.ts';
import { splitAsShell } from './shell-words.ts';
import { parseSql } from './sql-statements.ts';
import { isBlank, type SqlToken } from './sql-token.ts';

/**
 * What an order clause asks for, its direction aside (`parse_order_by_for_search_runs`).
 * @throws GatewayError with MLflow's words.
 */
export function readOrderClause(clause: string, grammar: SearchGrammar): Identifier {
  const statements = parseSql(clause);
  if (!statements) throw invalidParameter(`Error on parsing order_by clause '${clause}'`);
  const text = statements.length === 1 ? onlyIdentifier(statements[0] ?? []) : undefined;
  const words = text === undefined ? [] : splitAsShell(text.replaceAll('`', '"'));
  if (text === undefined || words.length > 2)
    throw invalidParameter(`Invalid order_by clause '${clause}'. Could not be parsed.`);
  const [first = '', direction] = words;
  if (direction === undefined) return readIdentifier(text.trim(), grammar, grammar.orderAttributes);
  if (!/^(?:asc|desc)$/i.test(direction))
    throw invalidParameter(`Invalid ordering key in order_by clause '${clause}'.`);
  return readIdentifier(first.trim(), grammar, grammar.orderAttributes);
}

/** The one identifier that the clause is; MLflow also takes the word `timestamp`, which its SQL parser has for a type. */
function onlyIdentifier(statement: readonly SqlToken[]): string | undefined {
  const [first] = statement;
  if (first?.kind === 'identifier' && statement.length === 1) return first.text;
  if (first?.kind !== 'type' || first.text !== 'timestamp') return undefined;
  if (statement.length === 1) return first.text;
  const last = statement.at(-1);
  return last?.kind === 'direction' && statement.slice(1, -1).every(isBlank) ? `timestamp ${last.text}` : undefined;
}
