import { refusal } from '../azure-error.ts';

export type TokenKind = 'identifier' | 'single' | 'double' | 'number' | 'operator' | 'punctuation';

export interface Token {
  readonly kind: TokenKind;
  /** Of a string, without its quotes. */
  readonly text: string;
}

/** What comes first is tried first. Nothing is escaped in a string; a dot joins an entity to its key, which may be quoted. */
const KINDS: readonly (readonly [TokenKind | 'blank', RegExp])[] = [
  ['blank', /\s+/y],
  ['single', /'([^']*)'/y],
  ['double', /"([^"]*)"/y],
  ['identifier', /[A-Za-z_]\w*(?:\.(?:\w+|`[^`]*`|"[^"]*"))*/y],
  ['number', /-?(?:\d+\.?\d*|\.\d+)(?:[eE]-?\d+)?(?![\w.+])/y],
  ['operator', /[<>=!]+/y],
  ['punctuation', /[(),]/y],
];

/** @throws AzureError at what is no token. */
export function tokenize(filter: string): Token[] {
  const tokens: Token[] = [];
  for (let at = 0; at < filter.length; ) {
    const { kind, match } = tokenAt(filter, at);
    if (kind !== 'blank') tokens.push({ kind, text: match[1] ?? match[0] });
    at += match[0].length;
  }
  return tokens;
}

function tokenAt(filter: string, at: number) {
  for (const [kind, pattern] of KINDS) {
    pattern.lastIndex = at;
    const match = pattern.exec(filter);
    if (match) return { kind, match };
  }
  throw refusal(`Invalid filter string: unexpected character at position ${at}. Provided filter string: ${filter}`);
}
