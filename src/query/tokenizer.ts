import { FilterSyntaxError } from './filter-syntax-error.ts';

export type TokenKind =
  | 'word'
  | 'number'
  | 'single-quoted'
  | 'double-quoted'
  | 'backticked'
  | 'operator'
  | 'dot'
  | '('
  | ')'
  | ','
  | 'end';

export interface Token {
  readonly kind: TokenKind;
  /** The source text, quotes included. */
  readonly text: string;
  readonly start: number;
  readonly end: number;
  /** Whether blanks stand before it. Blanks decide where MLflow's lexer ends a name, so the parser looks at them. */
  readonly spaced: boolean;
}

const BLANKS = /[ \t\r\n]*/y;
// A letter, digit or underscore of any script, as Python's \w means it.
const WORD = /[\p{L}\p{Nd}_]+/uy;
// MLflow's lexer knows no `+` in an exponent, no dot right before one, and ends a number at a letter.
const NUMBER = /-?(?:\d+(?:\.\d+)?[eE]-?\d+|\d+\.\d*|\.\d+|\d+)(?![\p{L}\p{Nd}_.])/uy;
const OPERATOR = /[<>=~!]+/y;
const PUNCTUATION: Readonly<Record<string, TokenKind>> = { '(': '(', ')': ')', ',': ',', '.': 'dot' };
const QUOTES: Readonly<Record<string, TokenKind>> = {
  "'": 'single-quoted',
  '"': 'double-quoted',
  '`': 'backticked',
};

function match(pattern: RegExp, text: string, at: number): string {
  pattern.lastIndex = at;
  return pattern.exec(text)?.[0] ?? '';
}

/**
 * End (exclusive) of the quoted text that begins at `start`. A doubled quote and, in strings, a backslash before a quote
 * do not end it; neither is un-escaped (MLflow keeps both as they are).
 */
function endOfQuoted(text: string, start: number): number {
  const quote = text[start];
  for (let i = start + 1; i < text.length; i++) {
    const escaped = text[i] === '\\' && quote !== '`' && text[i + 1] === quote;
    const doubled = text[i] === quote && text[i + 1] === quote;
    if (escaped || doubled) i++;
    else if (text[i] === quote) return i + 1;
  }
  throw new FilterSyntaxError(`This ${quote} is never closed.`, text, start);
}

/**
 * Splits a filter or order clause into tokens, the last of kind `end`. It knows less than MLflow's lexer on purpose:
 * comments, placeholders, brackets and other scripts' blanks are refused, because their meaning there is accidental.
 * @throws FilterSyntaxError
 */
export function tokenize(text: string): readonly Token[] {
  const tokens: Token[] = [];
  let at = 0;
  for (;;) {
    const blanks = match(BLANKS, text, at).length;
    at += blanks;
    const previous = tokens.at(-1);
    const glued = blanks === 0 && previous !== undefined;
    const token = readToken(text, at, glued ? previous.kind : undefined);
    tokens.push({ ...token, spaced: blanks > 0 });
    if (token.kind === 'end') return tokens;
    at = token.end;
  }
}

function readToken(text: string, start: number, gluedTo: TokenKind | undefined): Omit<Token, 'spaced'> {
  const make = (kind: TokenKind, end: number) => ({ kind, text: text.slice(start, end), start, end });
  const character = text[start];
  if (character === undefined) return make('end', start);
  const quoted = QUOTES[character];
  if (quoted) return make(quoted, endOfQuoted(text, start));
  const inName = gluedTo === 'dot' || gluedTo === 'word' || gluedTo === 'backticked';
  const number = inName ? '' : match(NUMBER, text, start);
  if (number) return make('number', start + number.length);
  const word = match(WORD, text, start);
  if (word) return make('word', start + word.length);
  const operator = match(OPERATOR, text, start);
  if (operator) return make('operator', start + operator.length);
  const punctuation = PUNCTUATION[character];
  if (punctuation) return make(punctuation, start + 1);
  throw new FilterSyntaxError(`Unexpected character '${character}'.`, text, start);
}
