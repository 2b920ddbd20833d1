import { isBlank, isGroup, isKeyword, type SqlGroup, type SqlKind, type SqlToken } from './sql-token.ts';

type Tokens = readonly SqlToken[];
type Test = (token: SqlToken) => boolean;

const oneOf = (...kinds: readonly SqlKind[]): Test => {
  const set: ReadonlySet<SqlKind> = new Set(kinds);
  return ({ kind }) => set.has(kind);
};
const isPunctuation =
  (text: string): Test =>
  (token) =>
    token.kind === 'punctuation' && token.text === text;

const OPERANDS: readonly SqlKind[] = [
  'parenthesis',
  'function',
  'identifier',
  'operation',
  'typed-literal',
  'integer',
  'float',
  'string',
  'symbol',
  'name',
  'placeholder',
];
const isOperand = oneOf(...OPERANDS);
const isNumber = oneOf('integer', 'float', 'hexadecimal');

function group(kind: SqlGroup, tokens: Tokens): SqlToken {
  // Added up rather than joined: a long chain of groups would be copied once for each of them.
  const text = tokens.reduce((sum, token) => sum + token.text, '');
  const depth = tokens.reduce((deepest, token) => Math.max(deepest, token.depth ?? 0), 0);
  const parts = kind === 'comparison' ? { parts: tokens.filter((token) => !isBlank(token)) } : {};
  return { kind, text, depth: depth + 1, ...parts };
}

const nextWord = (tokens: Tokens, at: number): number => {
  let next = at + 1;
  for (let token = tokens[next]; token && isBlank(token); token = tokens[next]) next++;
  return next;
};
const lastWord = (tokens: Tokens): number => tokens.findLastIndex((token) => !isBlank(token));

interface Join {
  readonly kind: SqlGroup;
  readonly middle: Test;
  readonly before: Test;
  /** What has to follow; undefined stands for nothing. */
  readonly after: (token: SqlToken | undefined) => boolean;
  /** Whether the group takes in what follows; it does unless said. */
  readonly takes?: (token: SqlToken | undefined) => boolean;
}

/**
 * Makes a group of each middle with its neighbours, from left to right. What stands before the next middle is judged by
 * the last token that the group took in, not by the group.
 */
const joining =
  ({ kind, middle, before, after, takes = () => true }: Join) =>
  (tokens: Tokens): Tokens => {
    const joined: SqlToken[] = [];
    let previous: SqlToken | undefined;
    for (let at = 0; at < tokens.length; at++) {
      const token = tokens[at] as SqlToken;
      const next = middle(token) ? nextWord(tokens, at) : at;
      if (previous && next > at && before(previous) && after(tokens[next])) {
        const end = tokens[next] && takes(tokens[next]) ? next : at;
        const members = joined.splice(lastWord(joined));
        members.push(...tokens.slice(at, end + 1));
        joined.push(group(kind, members));
        previous = end === next ? tokens[next] : joined.at(-1);
        at = end;
      } else {
        joined.push(token);
        if (!isBlank(token)) previous = token;
      }
    }
    return joined;
  };

/** Makes a group of a token and the word behind it wherever both are of the right kind. */
const pairing =
  (kind: SqlGroup, first: Test, second: Test) =>
  (tokens: Tokens): Tokens => {
    const paired: SqlToken[] = [];
    for (let at = 0; at < tokens.length; at++) {
      const token = tokens[at] as SqlToken;
      const next = first(token) ? nextWord(tokens, at) : at;
      const follower = tokens[next];
      if (next > at && follower && second(follower)) {
        paired.push(group(kind, tokens.slice(at, next + 1)));
        at = next;
      } else {
        paired.push(token);
      }
    }
    return paired;
  };

/** Makes a group of what stands behind a token and everything up to it, when that is of the right kind. */
const attaching =
  (second: Test, first: Test, kindOf: (first: SqlToken) => SqlGroup) =>
  (tokens: Tokens): Tokens => {
    const attached: SqlToken[] = [];
    for (const token of tokens) {
      const last = lastWord(attached);
      const host = attached[last];
      if (host && second(token) && first(host)) {
        const members = [...attached.splice(last), token];
        const grown = group(kindOf(host), members);
        // A comment behind a comparison becomes a part of it.
        attached.push(host.parts ? { ...grown, parts: [...host.parts, token] } : grown);
      } else {
        attached.push(token);
      }
    }
    return attached;
  };

/** Makes a group of everything from an opening to its closing token. */
const enclosing =
  (kind: SqlGroup, open: Test, close: Test) =>
  (tokens: Tokens): Tokens => {
    const enclosed: SqlToken[] = [];
    const opened: number[] = [];
    for (const token of tokens) {
      enclosed.push(token);
      if (open(token)) opened.push(enclosed.length - 1);
      const from = close(token) ? opened.pop() : undefined;
      if (from !== undefined) enclosed.push(group(kind, enclosed.splice(from)));
    }
    return enclosed;
  };

/** Comments that stand together are one group, unless nothing stands behind them. */
function groupComments(tokens: Tokens): Tokens {
  const grouped: SqlToken[] = [];
  for (let at = 0; at < tokens.length; at++) {
    const token = tokens[at] as SqlToken;
    if (token.kind !== 'comment') {
      grouped.push(token);
      continue;
    }
    const end = tokens.findIndex(({ kind }, i) => i > at && kind !== 'comment' && kind !== 'newline');
    if (end === -1) return [...grouped, ...tokens.slice(at)];
    grouped.push(group('comments', tokens.slice(at, end)));
    at = end - 1;
  }
  return grouped;
}

const ENDS_OF_WHERE = ['ORDER BY', 'GROUP BY', 'LIMIT', 'UNION', 'UNION ALL', 'EXCEPT', 'HAVING', 'RETURNING', 'INTO'];

function groupWhere(tokens: Tokens): Tokens {
  const from = tokens.findIndex((token) => isKeyword(token, 'WHERE'));
  if (from === -1) return tokens;
  const end = tokens.findIndex((token, at) => at > from && ENDS_OF_WHERE.some((word) => isKeyword(token, word)));
  const to = end === -1 ? tokens.length : end;
  return [...tokens.slice(0, from), group('where', tokens.slice(from, to)), ...groupWhere(tokens.slice(to))];
}

const toIdentifiers = (tokens: Tokens): Tokens =>
  tokens.map((token) => (token.kind === 'name' || token.kind === 'symbol' ? group('identifier', [token]) : token));

const isMember = (token: SqlToken | undefined): boolean =>
  token !== undefined && oneOf('brackets', 'function', 'name', 'symbol', 'wildcard', 'string')(token);
const isNullWord = (token: SqlToken) => isKeyword(token, 'NULL');
const isSomething = (token: SqlToken | undefined): token is SqlToken => token !== undefined;
const isComparand = (token: SqlToken | undefined): boolean =>
  token !== undefined && (isOperand(token) || isNullWord(token));
const isSummand = (token: SqlToken | undefined): boolean =>
  token !== undefined && (isOperand(token) || token.kind === 'brackets');
const isListed = (token: SqlToken | undefined): boolean =>
  token !== undefined &&
  token.kind !== 'parenthesis' &&
  (isOperand(token) || oneOf('case', 'comparison', 'list', 'keyword', 'wildcard')(token));

/**
 * The groupings of MLflow's SQL parser in its order, as observed. Only the outermost level matters: what stands inside
 * a group is shown as text and never looked at.
 */
const STEPS: readonly ((tokens: Tokens) => Tokens)[] = [
  groupComments,
  enclosing('brackets', isPunctuation('['), isPunctuation(']')),
  enclosing('parenthesis', isPunctuation('('), isPunctuation(')')),
  enclosing(
    'case',
    (token) => isKeyword(token, 'CASE'),
    (token) => isKeyword(token, 'END'),
  ),
  pairing('function', oneOf('name', 'type', 'placeholder'), oneOf('parenthesis')),
  groupWhere,
  joining({
    kind: 'identifier',
    middle: (token) => isPunctuation('.')(token) || (token.kind === 'operator' && /^->>?$/.test(token.text)),
    before: oneOf('brackets', 'identifier', 'name', 'symbol'),
    after: () => true,
    takes: isMember,
  }),
  joining({
    kind: 'identifier',
    middle: oneOf('brackets'),
    before: oneOf('brackets', 'identifier', 'function', 'name', 'symbol'),
    after: () => true,
    takes: () => false,
  }),
  toIdentifiers,
  attaching(
    oneOf('direction'),
    (token) => token.kind === 'identifier' || isNumber(token),
    () => 'identifier',
  ),
  joining({ kind: 'identifier', middle: oneOf('cast'), before: () => true, after: isSomething }),
  // Nothing but a value is one, so none is the first of all.
  (tokens) => [...tokens.slice(0, 1), ...pairing('typed-literal', oneOf('type'), oneOf('string'))(tokens.slice(1))],
  joining({ kind: 'operation', middle: oneOf('operator', 'wildcard'), before: isSummand, after: isSummand }),
  joining({ kind: 'comparison', middle: oneOf('comparator'), before: isComparand, after: isComparand }),
  joining({
    kind: 'identifier',
    middle: (token) => isKeyword(token, 'AS'),
    before: (token) => !oneOf('keyword', 'direction')(token) || isNullWord(token),
    after: isSomething,
  }),
  pairing(
    'identifier',
    (token) =>
      oneOf('parenthesis', 'function', 'case', 'identifier', 'operation', 'comparison')(token) || isNumber(token),
    oneOf('identifier'),
  ),
  joining({
    kind: 'assignments',
    middle: oneOf('assignment'),
    before: (token) => token.kind !== 'keyword',
    after: (token) => token !== undefined && token.kind !== 'keyword',
  }),
  attaching(oneOf('comments'), isGroup, ({ kind }) => kind as SqlGroup),
  joining({ kind: 'list', middle: isPunctuation(','), before: isListed, after: isListed }),
];

/** Groups the tokens of one statement as MLflow's SQL parser does, as far as an answer depends on it. */
export const groupSql = (tokens: Tokens): SqlToken[] => [...STEPS.reduce((grouped, step) => step(grouped), tokens)];
