import { pythonRepr } from '../../domain/python-text.ts';
import { invalidParameter } from '../../errors/gateway-error.ts';
import { parseSql } from './sql-statements.ts';
import { isBlank, isKeyword, type SqlToken } from './sql-token.ts';

/** `left op right` as MLflow cut it; a null test has no right side. */
export interface Clause {
  readonly left: SqlToken;
  /** As written; null tests and NOT IN as MLflow writes them. */
  readonly comparator: string;
  readonly right: SqlToken | undefined;
}

/**
 * Reads the clauses of a filter as MLflow finds them (`parse_search_filter`, the same for runs and experiments), each
 * wholly before the next.
 * @throws GatewayError with MLflow's words when something else stands between them.
 */
export function readClauses<T>(
  filter: string,
  listed: (part: string) => string,
  read: (clause: Clause) => T,
): readonly T[] {
  if (filter === '') return [];
  const statements = parseSql(filter);
  if (!statements) throw invalidParameter(`Error on parsing filter '${filter}'`);
  const [statement, second] = statements;
  if (!statement) throw invalidParameter(`Invalid filter '${filter}'. Could not be parsed.`);
  if (second)
    throw invalidParameter(
      `Search filter contained multiple expression ${pythonRepr(filter)}. Provide AND-ed expression list.`,
    );
  const parts = joinLists(statement.filter((token) => !isBlank(token)));
  const others = parts.filter((part) => part.kind !== 'comparison' && !isKeyword(part, 'AND'));
  if (others.length > 0)
    throw invalidParameter(`Invalid clause(s) in filter string: ${others.map(({ text }) => listed(text)).join(', ')}`);
  return parts
    .flatMap(({ kind, parts: sides }) => (kind === 'comparison' && sides ? [sides] : []))
    .map((sides) => read(toClause(sides)));
}

/**
 * Finds the comparisons that MLflow's SQL parser knows nothing of: IN, NOT IN and null tests. An identifier that begins
 * none makes MLflow step over four parts at once, so that it misses one that begins among them.
 */
function joinLists(parts: readonly SqlToken[]): readonly SqlToken[] {
  const joined: SqlToken[] = [];
  for (let at = 0; at < parts.length; ) {
    const [first, second, third, fourth] = parts.slice(at, at + 4);
    const alone = first?.kind !== 'identifier' || !third;
    const found = alone ? undefined : comparisonOf(first, second, third, fourth);
    if (found) joined.push(found.token);
    const length = found?.length ?? (alone ? 1 : 4);
    if (!found) joined.push(...parts.slice(at, at + length));
    at += length;
  }
  return joined;
}

function comparisonOf(first: SqlToken, second?: SqlToken, third?: SqlToken, fourth?: SqlToken) {
  const compare = (length: number, comparator: string, ...right: readonly SqlToken[]) => {
    const word: SqlToken = { kind: 'keyword', text: comparator };
    return { length, token: { ...first, kind: 'comparison' as const, parts: [first, word, ...right] } };
  };
  if (isKeyword(second, 'IN') && third?.kind === 'parenthesis') return compare(3, second?.text ?? '', third);
  if (isKeyword(second, 'IS') && isKeyword(third, 'NULL')) return compare(3, 'IS NULL');
  if (isKeyword(second, 'IS') && isKeyword(third, 'NOT NULL')) return compare(3, 'IS NOT NULL');
  if (isKeyword(second, 'NOT') && isKeyword(third, 'IN') && fourth?.kind === 'parenthesis')
    return compare(4, 'NOT IN', fourth);
  return undefined;
}

function toClause(sides: readonly SqlToken[]): Clause {
  const [left, comparator, right] = sides;
  if (!left || !comparator || sides.length > 3)
    throw invalidParameter(`Invalid comparison clause. Expected 3 tokens found ${sides.length}`);
  if (left.kind !== 'identifier')
    throw invalidParameter(`Invalid comparison clause. Expected 'Identifier' found '${left.text}'`);
  return { left, comparator: comparator.text, right };
}
