import { endOfString } from '../domain/run-text.ts';
import type { IdKind } from './id-mapping.ts';
import { eachItem, eachMember, endOfValue, skipBlanks, textAt } from './json-scan.ts';

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

  function tagShape(objectStart: number): Shape {
    let shape: Shape | undefined;
    eachMember(json, objectStart, (key, start) => {
      const end = endOfValue(json, start);
      if (key === 'key' && json[start] === '"') shape = tags.get(textAt(json, start, end));
      return end;
    });
    return shape ?? EMPTY;
  }

  function walkObject(at: number, shape: Fields | Anywhere): number {
    const { fields, rest } =
      shape instanceof Anywhere ? { fields: shape.fields, rest: shape } : { fields: shape, rest: undefined };
    return eachMember(json, at, (key, start) => {
      const field = fieldOf(fields, key) ?? rest;
      if (field === undefined) return endOfValue(json, start);
      return walk(start, field === 'tag' ? tagShape(at) : field);
    });
  }

  function walkText(at: number, shape: Shape): number {
    const end = endOfString(json, at);
    const before = typeof shape === 'string' || shape instanceof EmbeddedJson ? textAt(json, at, end) : '';
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
    if (char === '[') return eachItem(json, at, (item) => walk(item, shape));
    if (char === '{' && typeof shape === 'object' && !(shape instanceof EmbeddedJson)) return walkObject(at, shape);
    return endOfValue(json, at);
  }

  walk(skipBlanks(json, 0), shape);
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
