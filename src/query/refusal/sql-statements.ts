import { groupSql } from './group-sql.ts';
import { lexSql } from './sql-lexer.ts';
import { isBlank, type SqlToken } from './sql-token.ts';

/** Beyond these MLflow's SQL parser gives up. */
const MAX_TOKENS = 10_000;
const MAX_DEPTH = 100;

/**
 * The statements of a text, each grouped, of which two are as bad as many; undefined when a statement is too much for
 * MLflow's SQL parser.
 */
export function parseSql(text: string): readonly (readonly SqlToken[])[] | undefined {
  const statements: SqlToken[][] = [];
  for (const statement of splitStatements(text)) {
    if (statement.length > MAX_TOKENS) return undefined;
    const grouped = groupSql(statement);
    if (grouped.some(({ depth = 0 }) => depth > MAX_DEPTH)) return undefined;
    statements.push(grouped);
    if (statements.length > 1) break;
  }
  return statements;
}

/** A semicolon outside parentheses ends a statement, which takes the blanks and line comments behind it as well. */
function* splitStatements(text: string): Generator<readonly SqlToken[]> {
  let statement: SqlToken[] = [];
  let level = 0;
  let ended = false;
  for (const token of lexSql(text)) {
    const trails = token.kind === 'blank' || (token.kind === 'comment' && !token.text.startsWith('/*'));
    if (ended && !trails) {
      yield statement;
      statement = [];
      level = 0;
      ended = false;
    }
    if (token.text === '(') level++;
    if (token.text === ')') level--;
    statement.push(token);
    if (token.text === ';' && level <= 0) ended = true;
    if (statement.length > MAX_TOKENS) break;
  }
  if (!statement.every(isBlank)) yield statement;
}
