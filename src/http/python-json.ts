import { nestsDeeperThan } from '../domain/json-depth.ts';

const UTF8 = new TextDecoder('utf-8', { fatal: true });
/** A string, or one of the numbers that only Python's JSON knows. */
const STRING_OR_NAN = /"(?:[^"\\]|\\.)*"|-?Infinity|NaN/gs;

/**
 * The object that MLflow reads from a body, as far as its text fields go: Python's JSON with `NaN` and infinities, a byte
 * order mark, an object inside a string. Null, a list, and what is no JSON count as an empty object. Undefined when
 * Python might read more in it: it guesses encodings other than UTF-8. What is nested deeper than any request, or longer than
 * MLflow's clients write, is not looked into.
 */
export function readLikePython(body: Buffer): Readonly<Record<string, unknown>> | undefined {
  const value = parse(body);
  const inner = typeof value === 'string' ? parse(Buffer.from(value)) : value;
  if (inner === UNREADABLE) return undefined;
  return typeof inner === 'object' && inner !== null && !Array.isArray(inner) ? (inner as Record<string, unknown>) : {};
}

const UNREADABLE = Symbol('unreadable');
const MAX_DEPTH = 64;
/** In bytes. */
const MAX_LENGTH = 4_194_304;

function parse(body: Buffer): unknown {
  if (body.length === 0) return {};
  if (body.length > MAX_LENGTH || nestsDeeperThan(MAX_DEPTH, body)) return UNREADABLE;
  try {
    const text = UTF8.decode(body);
    // UTF-16 and UTF-32 are full of them.
    if (text.includes('\0')) return UNREADABLE;
    return parseJson(text) ?? parseJson(text.replace(STRING_OR_NAN, (token) => (token[0] === '"' ? token : '0')));
  } catch {
    return UNREADABLE;
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
