import { pythonFloat, pythonRepr } from '../../domain/python-text.ts';
import { GatewayError, invalidParameter } from '../../errors/gateway-error.ts';

const EXPECTED = 'While parsing a list in the query, expected';

/** A Python literal, as far as a message shows it. */
interface Literal {
  readonly shown: string;
  readonly kind: 'text' | 'number' | 'constant' | 'name' | 'tuple' | 'list' | 'operation';
  /** The text itself. */
  readonly text?: string;
  readonly items: readonly Literal[];
}

/** Something that Python parses and that is no literal. */
class NoLiteral extends Error {}
/** Something that Python does not parse. */
class IllFormed extends Error {}

/**
 * Reads a list as MLflow does, which evaluates it as a Python literal. Known are tuples, lists, texts, numbers, names
 * and binary operations; anything rarer counts as ill-formed.
 * @throws GatewayError with MLflow's words for all but one or more texts.
 */
export function readTextList(source: string): readonly string[] {
  const literal = readLiteral(source);
  const [items, shown] = literal.kind === 'tuple' ? [literal.items, literal.shown] : [[literal], `(${literal.shown},)`];
  if (items.length === 0) throw invalidParameter(`${EXPECTED} a non-empty list of string values, but got empty list`);
  const texts = items.flatMap(({ text }) => (text === undefined ? [] : [text]));
  if (texts.length < items.length)
    throw invalidParameter(
      `${EXPECTED} string value, punctuation, or whitespace, but got different type in list: ${shown}`,
    );
  return texts;
}

function readLiteral(text: string): Literal {
  try {
    return new LiteralReader(text).readAll();
  } catch (error) {
    if (error instanceof IllFormed)
      throw invalidParameter(`${EXPECTED} a non-empty list of string values, but got ill-formed list.`);
    // The address that Python prints is any number.
    if (error instanceof NoLiteral)
      throw new GatewayError(
        'INTERNAL_ERROR',
        `malformed node or string on line 1: <ast.${error.message} object at 0x7f0000000000>`,
      );
    throw error;
  }
}

const STRING = /([uUrR]?)('(?:[^'\\\r\n]|\\[\s\S])*'|"(?:[^"\\\r\n]|\\[\s\S])*")/y;
const NUMBER = /-?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?(?![\p{L}_])/uy;
const NAME = /[\p{L}_][\p{L}\p{N}_]*/uy;
const OPERATOR = /\*\*|\/\/|<<|>>|[-+*/%@&|^]/y;
const BLANKS = /(?:[\s]|\\\r?\n|#[^\n]*)*/y;
const CONSTANTS: ReadonlySet<string> = new Set(['None', 'True', 'False']);

/** Python's own limit. */
const MAX_DEPTH = 200;

const ESCAPES: Readonly<Record<string, string>> = {
  n: '\n',
  r: '\r',
  t: '\t',
  a: '\x07',
  b: '\b',
  f: '\f',
  v: '\v',
  '\\': '\\',
  "'": "'",
  '"': '"',
  '\n': '',
};

const ESCAPE = /\\(?:([0-7]{1,3})|x([\da-fA-F]{2})|u([\da-fA-F]{4})|U([\da-fA-F]{8})|([\s\S]))/g;

function decodeEscapes(text: string): string {
  return text.replace(ESCAPE, (source: string, octal?: string, x?: string, u?: string, long?: string, one = '') => {
    if (octal) return String.fromCharCode(Number.parseInt(octal, 8));
    const code = Number.parseInt(x ?? u ?? long ?? '', 16);
    if (code > 0x10ffff || (Number.isNaN(code) && /[xuUN]/.test(one))) throw new IllFormed();
    return Number.isNaN(code) ? (ESCAPES[one] ?? source) : String.fromCodePoint(code);
  });
}

/** What Python calls the node of a syntax tree. */
const NODE_OF: Readonly<Record<Literal['kind'], string>> = {
  text: 'Constant',
  number: 'Constant',
  constant: 'Constant',
  name: 'Name',
  tuple: 'Tuple',
  list: 'List',
  operation: 'BinOp',
};

/** The node that Python complains about: it adds numbers, if one of them is imaginary, and nothing else. */
function notAdded(operator: string, left: Literal, right: Literal): string {
  if (operator !== '+' && operator !== '-') return NODE_OF.operation;
  const wrong = [left, right].find(({ kind }) => kind !== 'number');
  return NODE_OF[wrong?.kind ?? 'operation'];
}

const plain = (kind: Literal['kind'], shown: string): Literal => ({ kind, shown, items: [] });

class LiteralReader {
  readonly #text: string;
  #at = 0;
  #depth = 0;
  /** The first thing that is no literal: Python evaluates nothing before all of it is parsed. */
  #noLiteral: string | undefined;

  constructor(text: string) {
    this.#text = text;
  }

  readAll(): Literal {
    const value = this.#expression();
    if (this.#at < this.#text.length) throw new IllFormed();
    if (this.#noLiteral) throw new NoLiteral(this.#noLiteral);
    return value;
  }

  #take(pattern: RegExp): RegExpExecArray | undefined {
    pattern.lastIndex = this.#at;
    const match = pattern.exec(this.#text);
    if (match) this.#at = pattern.lastIndex;
    return match ?? undefined;
  }

  #takeMark(mark: string): boolean {
    const found = this.#text[this.#at] === mark;
    if (found) {
      this.#at++;
      this.#take(BLANKS);
    }
    return found;
  }

  #expression(): Literal {
    const names = this.#noLiteral;
    let value = this.#operand();
    for (let match = this.#take(OPERATOR); match; match = this.#take(OPERATOR)) {
      this.#take(BLANKS);
      this.#noLiteral = names ?? notAdded(match[0], value, this.#operand());
      value = plain('operation', '');
    }
    return value;
  }

  #operand(): Literal {
    const value = this.#bare();
    this.#take(BLANKS);
    return value;
  }

  #bare(): Literal {
    if (this.#takeMark('(')) return this.#sequence(')');
    if (this.#takeMark('[')) return this.#sequence(']');
    const texts = this.#texts();
    if (texts !== undefined) return { kind: 'text', text: texts, shown: pythonRepr(texts), items: [] };
    const number = this.#take(NUMBER)?.[0];
    if (number !== undefined)
      return plain('number', /[.eE]/.test(number) ? pythonFloat(Number(number)) : this.#integer(number));
    const name = this.#take(NAME)?.[0];
    if (name === undefined) throw new IllFormed();
    if (CONSTANTS.has(name)) return plain('constant', name);
    this.#noLiteral ??= NODE_OF.name;
    return plain('name', name);
  }

  #integer(digits: string): string {
    if (/^-?0\d*[1-9]/.test(digits)) throw new IllFormed();
    return digits.replace(/^(-?)0+(?=\d)/, '$1').replace(/^-0$/, '0');
  }

  /** Neighbouring texts are one. */
  #texts(): string | undefined {
    let joined: string | undefined;
    for (let match = this.#take(STRING); match; match = this.#take(STRING)) {
      const inner = (match[2] ?? '').slice(1, -1);
      joined = (joined ?? '') + (/[rR]/.test(match[1] ?? '') ? inner : decodeEscapes(inner));
      this.#take(BLANKS);
    }
    return joined;
  }

  #sequence(close: ')' | ']'): Literal {
    const items: Literal[] = [];
    let commas = 0;
    if (++this.#depth > MAX_DEPTH) throw new IllFormed();
    while (!this.#takeMark(close)) {
      if (items.length > commas) throw new IllFormed();
      items.push(this.#expression());
      if (this.#takeMark(',')) commas++;
    }
    this.#depth--;
    const [first] = items;
    if (close === ')' && first && items.length === 1 && commas === 0) return first;
    const shown = items.map((item) => item.shown).join(', ');
    if (close === ']') return plain('list', `[${shown}]`);
    return { kind: 'tuple', items, shown: items.length === 1 ? `(${shown},)` : `(${shown})` };
  }
}
