const UTF8 = new TextDecoder('utf-8', { fatal: true });
/** A string, or one of the numbers that only Python's JSON knows. */
const STRING_OR_NAN = /"(?:[^"\\]|\\.)*"|-?Infinity|NaN/gs;

/**
 * The object that MLflow reads from a body, as far as its text fields go: Python's JSON with `NaN` and infinities, a byte
 * order mark, an object inside a string. Null, a list, and what is no JSON count as an empty object. Undefined when
 * Python might read more in it: it guesses encodings other than UTF-8.
 */
export function readLikePython(body: Buffer): Readonly<Record<string, unknown>> | undefined {
  const value = parse(body);
  const inner = typeof value === 'string' ? parse(Buffer.from(value)) : value;
  if (inner === UNREADABLE) return undefined;
  return typeof inner === 'object' && inner !== null && !Array.isArray(inner) ? (inner as Record<string, unknown>) : {};
}

const UNREADABLE = Symbol('unreadable');

function parse(body: Buffer): unknown {
  if (body.length === 0) return {};
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
