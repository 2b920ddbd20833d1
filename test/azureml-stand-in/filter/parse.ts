import { refusal } from '../azure-error.ts';
import { type Token, tokenize } from './tokenize.ts';

export interface Value {
  readonly kind: 'single' | 'double' | 'number';
  readonly text: string;
}

export interface Term {
  /** As it is written, before the first dot; `''` without one. */
  readonly entity: string;
  /** Without its quotes. */
  readonly key: string;
  readonly keyQuote: '`' | '"' | undefined;
  /** In upper case, such as `=`, `NOT IN`, `IS NULL`. */
  readonly comparator: string;
  /** Of a list, one or more; of `IS NULL`, none. */
  readonly values: readonly Value[];
}

/** Terms of which all must hold, in groups of which one must: `AND` binds closer than `OR`, brackets are not known. */
export type Filter = readonly (readonly Term[])[];

const COMPARATORS = new Set(['=', '!=', '<', '<=', '>', '>=']);
const KEY = /^(?:\w+(?:\.\w+)*|`([^`]*)`|"([^"]*)")$/;

/** @throws AzureError */
export function parseFilter(text: string): Filter {
  const tokens = tokenize(text);
  return tokens.length === 0 ? [[]] : new FilterParser(text, tokens).filter();
}

class FilterParser {
  readonly #text: string;
  readonly #tokens: readonly Token[];
  #at = 0;

  constructor(text: string, tokens: readonly Token[]) {
    this.#text = text;
    this.#tokens = tokens;
  }

  filter(): Filter {
    let group: Term[] = [this.#term()];
    const groups = [group];
    while (this.#at < this.#tokens.length) {
      if (this.#takeWord('OR')) {
        group = [];
        groups.push(group);
      } else if (!this.#takeWord('AND')) throw this.#unexpected();
      group.push(this.#term());
    }
    return groups;
  }

  #term(): Term {
    const identifier = this.#take('identifier') ?? this.#fail();
    return { ...this.#field(identifier), ...this.#condition() };
  }

  #field(identifier: string) {
    const dot = identifier.indexOf('.');
    if (dot < 0) return { entity: '', key: identifier, keyQuote: undefined };
    const written = identifier.slice(dot + 1);
    const match = KEY.exec(written) ?? this.#fail();
    const first = written[0];
    const keyQuote: '`' | '"' | undefined = first === '`' || first === '"' ? first : undefined;
    return { entity: identifier.slice(0, dot), key: match[1] ?? match[2] ?? written, keyQuote };
  }

  #condition(): Pick<Term, 'comparator' | 'values'> {
    const operator = this.#take('operator');
    if (operator !== undefined) {
      if (!COMPARATORS.has(operator)) this.#fail();
      return { comparator: operator, values: [this.#value()] };
    }
    if (this.#takeWord('IS')) {
      const comparator = this.#takeWord('NOT') ? 'IS NOT NULL' : 'IS NULL';
      return this.#takeWord('NULL') ? { comparator, values: [] } : this.#fail();
    }
    const not = this.#takeWord('NOT') ? 'NOT ' : '';
    if (this.#takeWord('IN')) return { comparator: `${not}IN`, values: this.#list() };
    const like = ['LIKE', 'ILIKE'].find((word) => !not && this.#takeWord(word)) ?? this.#fail();
    return { comparator: like, values: [this.#value()] };
  }

  #list(): Value[] {
    if (!this.#takeMark('(')) this.#fail();
    const values = [this.#value()];
    while (this.#takeMark(',')) values.push(this.#value());
    return this.#takeMark(')') ? values : this.#fail();
  }

  #value(): Value {
    const token = this.#tokens[this.#at];
    if (token?.kind !== 'single' && token?.kind !== 'double' && token?.kind !== 'number') throw this.#unexpected();
    this.#at++;
    return { kind: token.kind, text: token.text };
  }

  #take(kind: Token['kind']): string | undefined {
    const token = this.#tokens[this.#at];
    if (token?.kind !== kind) return undefined;
    this.#at++;
    return token.text;
  }

  #takeWord(word: string): boolean {
    return this.#takeIf('identifier', (text) => text.toUpperCase() === word);
  }

  #takeMark(mark: string): boolean {
    return this.#takeIf('punctuation', (text) => text === mark);
  }

  #takeIf(kind: Token['kind'], holds: (text: string) => boolean): boolean {
    const token = this.#tokens[this.#at];
    if (token?.kind !== kind || !holds(token.text)) return false;
    this.#at++;
    return true;
  }

  #fail(): never {
    throw this.#unexpected();
  }

  #unexpected() {
    const found = this.#tokens[this.#at]?.text ?? 'the end';
    return refusal(`Invalid filter string near '${found}'. Provided filter string: ${this.#text}`);
  }
}
