import type { PythonJson } from './python-text.ts';

const UTF8 = new TextDecoder('utf-8', { fatal: true });
/** A string, or one of the words that only Python's JSON knows. */
const STRING_OR_WORD = /"(?:[^"\\]|\\.)*"|-?Infinity|NaN/gs;
/** Zeros in a spelling nobody uses stand for NaN until the text is parsed. */
const NAN = '0e-4900000001';
const WORDS: Readonly<Record<string, string>> = { NaN: NAN, Infinity: '1e999', '-Infinity': '-1e999' };

/** Reads a body as Python's JSON does, a byte order mark and UTF-16 included; undefined for what is no JSON. */
export function parsePythonBody(body: Buffer): PythonJson | undefined {
  try {
    return parsePythonJson(decode(body));
  } catch {
    return undefined;
  }
}

/** Which of two bytes is zero gives the encoding away, as in RFC 4627. */
function decode(body: Buffer): string {
  const [first, second] = body;
  if (first === 0xff && second === 0xfe) return new TextDecoder('utf-16le').decode(body);
  if (first === 0xfe && second === 0xff) return new TextDecoder('utf-16be').decode(body);
  if (body.length >= 2 && second === 0) return new TextDecoder('utf-16le').decode(body);
  if (body.length >= 2 && first === 0) return new TextDecoder('utf-16be').decode(body);
  return UTF8.decode(body);
}

/**
 * Reads JSON with `NaN` and infinities; integers come out as bigint and all else as number, which keeps int64 exact and
 * tells `1` from `1.0`.
 * @throws SyntaxError
 */
export function parsePythonJson(text: string): PythonJson {
  try {
    return parse(text);
  } catch (error) {
    const plain = text.replace(STRING_OR_WORD, (token) => WORDS[token] ?? token);
    if (plain === text) throw error;
    return parse(plain);
  }
}

/** Python reads no longer ones (`sys.get_int_max_str_digits`), and a sign. */
const MAX_DIGITS = 4_301;

const parse = (text: string): PythonJson =>
  JSON.parse(text, (_key, value: unknown, context?: { source?: string }) => {
    if (typeof value !== 'number') return value;
    const source = context?.source ?? String(value);
    if (source === NAN) return Number.NaN;
    if (!/^-?\d+$/.test(source)) return value;
    if (source.length > MAX_DIGITS) throw new SyntaxError('An integer of too many digits.');
    return BigInt(source);
  }) as PythonJson;
