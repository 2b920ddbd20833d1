import type { SqlKind, SqlToken } from './sql-token.ts';
import { SQL_KEYWORDS, SQL_TYPES } from './sql-words.ts';

// What \w, \d and \s are in Python; A to Z and À to Ü begin a name, in either case.
const W = '[\\p{L}\\p{N}_]';
const D = '\\p{Nd}';
const S = '[\\s\\x1c-\\x1f\\x85]';
const LETTER = '[A-ZÀ-Ü]';
const NO_LETTER = '(?![_A-ZÀ-Ü])';
const END_OF_WORD = `(?!${W})`;

interface Source {
  readonly text: string;
  /** Where the last comment could end: beyond it none is looked for. */
  readonly lastCommentEnd: number;
}

/** Length of a token at a place, 0 without one. */
type Read = (source: Source, at: number) => number;

function matching(pattern: string): Read {
  const regExp = new RegExp(pattern, 'iuy');
  return ({ text }, at) => {
    regExp.lastIndex = at;
    return regExp.test(text) ? regExp.lastIndex - at : 0;
  };
}

/**
 * A quoted text, in which a doubled quote and, when `escapes`, one behind a backslash does not end it, unless nothing
 * else would.
 */
const quoted =
  (quote: string, escapes: boolean): Read =>
  ({ text }, start) => {
    if (text[start] !== quote) return 0;
    let passedOver = start;
    for (let at = start + 1; at < text.length; at++) {
      const escaped = escapes && text[at] === '\\' && text[at + 1] === quote;
      if (!escaped && text[at] !== quote) continue;
      if (!escaped && text[at + 1] !== quote) return at + 1 - start;
      passedOver = escaped ? at + 1 : at;
      at++;
    }
    return passedOver > start ? passedOver + 1 - start : 0;
  };

const blockComment: Read = ({ text, lastCommentEnd }, at) =>
  text.startsWith('/*', at) && at + 2 <= lastCommentEnd ? text.indexOf('*/', at + 2) + 2 - at : 0;

/** The lexical rules of MLflow's SQL parser in the order tried, as observed; `word` is yet to be looked up. */
const RULES: readonly (readonly [SqlKind | 'word', Read])[] = [
  ['comment', matching('(?:--|# )[^\\r\\n]*(?:\\r\\n|\\r|\\n|$)')],
  ['comment', blockComment],
  ['newline', matching('\\r\\n|\\r|\\n')],
  ['blank', matching(S)],
  ['assignment', matching(':=')],
  ['cast', matching('::')],
  ['wildcard', matching('\\*')],
  ['name', quoted('`', false)],
  ['name', quoted('´', false)],
  ['placeholder', matching(`\\?|%(?:\\(${W}+\\))?s|(?<!${W})[$:]${W}+`)],
  ['command', matching(`\\\\${W}+`)],
  ['keyword', matching(`(?:CASE|IN|VALUES|USING|FROM|AS)${END_OF_WORD}`)],
  ['name', matching(`(?:@|##?)${LETTER}${W}+`)],
  ['name', matching(`${LETTER}${W}*(?=${S}*\\.(?!${D}))`)],
  ['name', matching(`(?<=\\.)${LETTER}${W}*`)],
  ['name', matching(`${LETTER}${W}*(?=\\()`)],
  ['hexadecimal', matching(`-?0x[${D}A-F]+`)],
  ['float', matching(`-?${D}+(?:\\.${D}+)?E-?${D}+`)],
  ['float', matching(`-?(?:${D}+\\.${D}*|\\.${D}+)${NO_LETTER}`)],
  ['integer', matching(`-?${D}+${NO_LETTER}`)],
  ['string', quoted("'", true)],
  ['symbol', quoted('"', true)],
  ['name', matching(`(?<![\\p{L}\\p{N}_\\])])\\[[^\\]\\[]+\\]`)],
  [
    'keyword',
    matching(
      `(?:(?:(?:LEFT|RIGHT|FULL)${S}+)?(?:(?:INNER|OUTER|STRAIGHT)${S}+)?|(?:(?:CROSS|NATURAL)${S}+)?)JOIN${END_OF_WORD}`,
    ),
  ],
  ['keyword', matching(`END(?:${S}+(?:IF|LOOP|WHILE|FOR|CASE))?${END_OF_WORD}`)],
  ['keyword', matching(`IF${S}+(?:NOT${S}+)?EXISTS${END_OF_WORD}`)],
  ['keyword', matching(`NOT${S}+NULL${END_OF_WORD}`)],
  ['direction', matching(`(?:ASC|DESC)(?:${S}+NULLS${S}+(?:FIRST|LAST))?${END_OF_WORD}`)],
  ['direction', matching(`NULLS${S}+(?:FIRST|LAST)${END_OF_WORD}`)],
  ['keyword', matching(`(?:UNION${S}+ALL|(?:GROUP|ORDER)${S}+BY|PRIMARY${S}+KEY)${END_OF_WORD}`)],
  ['comparator', matching(`(?:NOT${S}+)?(?:LIKE|ILIKE|RLIKE)${END_OF_WORD}`)],
  ['comparator', matching(`(?:NOT${S}+)?REGEXP(?:${S}+BINARY)?${END_OF_WORD}`)],
  ['word', matching(`${W}[$#\\p{L}\\p{N}_]*`)],
  ['punctuation', matching('[;:()\\[\\],.]')],
  ['operator', matching('->>?|#>>?|@>|<@|-|#-')],
  ['comparator', matching('[<>=~!]+')],
  ['operator', matching('[+/@#%^&|-]+')],
];

function kindOfWord(word: string): SqlKind {
  const upper = word.toUpperCase();
  if (SQL_KEYWORDS.has(upper)) return 'keyword';
  if (upper === 'DIV') return 'operator';
  return SQL_TYPES.has(upper) ? 'type' : 'name';
}

function readToken(source: Source, start: number): SqlToken {
  for (const [kind, read] of RULES) {
    const length = read(source, start);
    if (length === 0) continue;
    const text = source.text.slice(start, start + length);
    return { kind: kind === 'word' ? kindOfWord(text) : kind, text };
  }
  return { kind: 'unknown', text: String.fromCodePoint(source.text.codePointAt(start) ?? 0) };
}

/** The tokens of a filter as MLflow's SQL lexer cuts it, one by one; together they are the whole text. */
export function* lexSql(text: string): Generator<SqlToken> {
  const source = { text, lastCommentEnd: text.lastIndexOf('*/') };
  for (let at = 0; at < text.length; ) {
    const token = readToken(source, at);
    yield token;
    at += token.text.length;
  }
}
