/** What MLflow's SQL parser makes of a piece of a filter: first the tokens of its lexer, then the groups it builds. */
export type SqlKind =
  | 'comment'
  | 'blank'
  | 'newline'
  | 'assignment'
  | 'cast'
  | 'wildcard'
  | 'name'
  | 'placeholder'
  | 'command'
  | 'keyword'
  | 'direction'
  | 'type'
  | 'hexadecimal'
  | 'float'
  | 'integer'
  | 'string'
  | 'symbol'
  | 'comparator'
  | 'punctuation'
  | 'operator'
  | 'unknown'
  | SqlGroup;

export type SqlGroup =
  | 'comments'
  | 'brackets'
  | 'parenthesis'
  | 'case'
  | 'function'
  | 'where'
  | 'identifier'
  | 'typed-literal'
  | 'operation'
  | 'comparison'
  | 'assignments'
  | 'list';

export interface SqlToken {
  readonly kind: SqlKind;
  readonly text: string;
  /** What a comparison was made of, blanks left out. */
  readonly parts?: readonly SqlToken[];
  /** How deep groups are nested in it, its own level included. */
  readonly depth?: number;
}

export const isBlank = ({ kind }: SqlToken): boolean => kind === 'blank' || kind === 'newline';

const GROUPS: ReadonlySet<SqlKind> = new Set<SqlGroup>([
  'comments',
  'brackets',
  'parenthesis',
  'case',
  'function',
  'where',
  'identifier',
  'typed-literal',
  'operation',
  'comparison',
  'assignments',
  'list',
]);

export const isGroup = ({ kind }: SqlToken): boolean => GROUPS.has(kind);

/** Whether a token is this word, in any case, and a keyword to MLflow's parser. */
export const isKeyword = (token: SqlToken | undefined, word: string): boolean =>
  token?.kind === 'keyword' && token.text.toUpperCase() === word;
