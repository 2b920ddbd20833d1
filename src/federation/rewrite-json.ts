import { endOfString } from '../domain/run-text.ts';
import type { IdKind } from './id-mapping.ts';

/**
 * Where in a JSON text ids are. A shape of a list is that of its items.
 * - an `IdKind`: the text is one
 * - `tag`: the value of a tag, of which the field `key` beside it says what it is
 * - fields: an object that has some
 */
export type Shape = IdKind | 'tag' | Fields | EmbeddedJson | Anywhere;

export interface Fields {
  readonly [field: string]: Shape;
}

/** A text that is JSON itself. */
export class EmbeddedJson {
  readonly shape: Shape;

  constructor(shape: Shape) {
    this.shape = shape;
  }
}

/** Fields by their names, however deep they are. */
export class Anywhere {
  readonly fields: Fields;

  constructor(fields: Fields) {
    this.fields = fields;
  }
}

/** What a text becomes. */
export type Replace = (kind: IdKind, text: string) => string;

export interface Rewriting {
  readonly replace: Replace;
  /** What the value of a tag is, by its key. */
  readonly tags: ReadonlyMap<string, Shape>;
}

const isBlank = (char: number) => char === 0x20 || char === 0x0a || char === 0x0d || char === 0x09;

const EMPTY: Fields = {};

/**
 * A JSON text with its ids replaced, and everything else as it was to the letter: numbers too long for JavaScript, fields
 * that nobody knows, the order of both.
 * @throws SyntaxError when the text is cut off.
 */
export function rewriteJson(json: string, shape: Shape, rewriting: Rewriting): string {
  const { replace, tags } = rewriting;
  const parts: string[] = [];
  let copied = 0;

  function exchange(start: number, end: number, by: string): void {
    parts.push(json.slice(copied, start), JSON.stringify(by));
    copied = end;
  }

  function skipBlanks(at: number): number {
    let i = at;
    while (isBlank(json.charCodeAt(i))) i++;
    return i;
  }

  /** End of the value at this place, which has no ids. */
  function skip(at: number): number {
    const first = json[at];
    if (first === '"') return endOfString(json, at);
    if (first !== '{' && first !== '[') return endOfScalar(at);
    let depth = 0;
    for (let i = at; i < json.length; i++) {
      const char = json.charCodeAt(i);
      if (char === 0x22) i = endOfString(json, i) - 1;
      else if (char === 0x7b || char === 0x5b) depth++;
      else if ((char === 0x7d || char === 0x5d) && --depth === 0) return i + 1;
    }
    throw new SyntaxError('A JSON text ends before its last bracket.');
  }

  function endOfScalar(at: number): number {
    let i = at;
    while (i < json.length && !/[\s,\]}]/.test(json[i] as string)) i++;
    return i;
  }

  const textAt = (start: number, end: number) => {
    const text = json.slice(start + 1, end - 1);
    return text.includes('\\') ? (JSON.parse(json.slice(start, end)) as string) : text;
  };

  /** The members of the object at this place: `visit` is given the key and the place of the value, and gives its end. */
  function members(at: number, visit: (key: string, start: number) => number): number {
    let i = skipBlanks(at + 1);
    while (json[i] === '"') {
      const endOfKey = endOfString(json, i);
      const key = textAt(i, endOfKey);
      i = skipBlanks(visit(key, skipBlanks(skipBlanks(endOfKey) + 1)));
      if (json[i] === ',') i = skipBlanks(i + 1);
    }
    if (json[i] !== '}') throw new SyntaxError('A JSON object does not end.');
    return i + 1;
  }

  function tagShape(objectStart: number): Shape {
    let shape: Shape | undefined;
    members(objectStart, (key, start) => {
      const end = skip(start);
      if (key === 'key' && json[start] === '"') shape = tags.get(textAt(start, end));
      return end;
    });
    return shape ?? EMPTY;
  }

  function walkObject(at: number, shape: Fields | Anywhere): number {
    const { fields, rest } =
      shape instanceof Anywhere ? { fields: shape.fields, rest: shape } : { fields: shape, rest: undefined };
    return members(at, (key, start) => {
      const field = fieldOf(fields, key) ?? rest;
      if (field === undefined) return skip(start);
      return walk(start, field === 'tag' ? tagShape(at) : field);
    });
  }

  function walkList(at: number, shape: Shape): number {
    let i = skipBlanks(at + 1);
    while (i < json.length && json[i] !== ']') {
      i = skipBlanks(walk(i, shape));
      if (json[i] === ',') i = skipBlanks(i + 1);
    }
    return i + 1;
  }

  function walkText(at: number, shape: Shape): number {
    const end = endOfString(json, at);
    const before = typeof shape === 'string' || shape instanceof EmbeddedJson ? textAt(at, end) : '';
    if (shape instanceof EmbeddedJson) {
      const after = rewriteEmbedded(before, shape.shape, rewriting);
      if (after !== before) exchange(at, end, after);
    } else if (typeof shape === 'string' && shape !== 'tag') {
      const after = replace(shape, before);
      if (after !== before) exchange(at, end, after);
    }
    return end;
  }

  function walk(at: number, shape: Shape): number {
    const char = json[at];
    if (char === '"') return walkText(at, shape);
    if (char === '[') return walkList(at, shape);
    if (char === '{' && typeof shape === 'object' && !(shape instanceof EmbeddedJson)) return walkObject(at, shape);
    return skip(at);
  }

  walk(skipBlanks(0), shape);
  return parts.length === 0 ? json : parts.join('') + json.slice(copied);
}

/** A text that should be JSON and is not is nobody's id. */
function rewriteEmbedded(text: string, shape: Shape, rewriting: Rewriting): string {
  try {
    JSON.parse(text);
  } catch {
    return text;
  }
  return rewriteJson(text, shape, rewriting);
}

/** MLflow reads a field by JSON's spelling of its name, too: `runId` for `run_id`. */
function fieldOf(fields: Fields, key: string): Shape | undefined {
  if (Object.hasOwn(fields, key)) return fields[key];
  if (!/[A-Z]/.test(key)) return undefined;
  const snake = key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  return Object.hasOwn(fields, snake) ? fields[snake] : undefined;
}
