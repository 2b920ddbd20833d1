import { parsePythonJson } from '../../src/domain/parse-python-json.ts';
import { pythonFloat } from '../../src/domain/python-text.ts';

/** A JSON object whose fields are not known to be what they should. */
export type Fields = Readonly<Record<string, unknown>>;

/** An integer that a double may not hold. In texts it finds some too often, which costs time only. */
const LONG_INTEGER = /[:[,]\s*-?\d{16}/;

/** Reads JSON with every integer exact: those beyond 2^53 come as bigint, all others as bigint or number. @throws SyntaxError */
export function parseExactly(text: string): unknown {
  if (LONG_INTEGER.test(text)) return parsePythonJson(text);
  try {
    return JSON.parse(text);
  } catch {
    // Bare NaN, or no JSON at all.
    return parsePythonJson(text);
  }
}

/** @throws SyntaxError for what is no JSON object */
export function parseObject(text: string): Fields {
  const value = parseExactly(text);
  if (!isObject(value)) throw new SyntaxError('This is not a JSON object.');
  return value;
}

export const isObject = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** A message, empty where it is absent. @throws SyntaxError for what is none */
export function objectOf(value: unknown): Fields {
  if (value === undefined || value === null) return {};
  if (isObject(value)) return value;
  throw new SyntaxError('A value is not a JSON object.');
}

/** A list of messages; Azure leaves out empty ones. @throws SyntaxError for what is none */
export function objectsOf(value: unknown): readonly Fields[] {
  if (value === undefined || value === null) return [];
  if (Array.isArray(value) && value.every(isObject)) return value;
  throw new SyntaxError('A value is not a list of JSON objects.');
}

/** Text, also where it comes as something else; undefined where there is none. */
export const textOf = (value: unknown): string | undefined =>
  value === undefined || value === null ? undefined : String(value);

/** An int64, which Azure sends as text or as number; undefined for what is none. */
export function int64Of(value: unknown): bigint | undefined {
  if (typeof value === 'bigint') return value;
  if (typeof value === 'number') return Number.isInteger(value) ? BigInt(value) : undefined;
  return typeof value === 'string' && /^-?\d+$/.test(value) ? BigInt(value) : undefined;
}

/** JSON of an int64; 0 where there is none. */
export function int64Text(value: unknown): string {
  // Of most, without a detour: there are some for each value of a metric.
  return typeof value === 'string' && /^[1-9]\d*$/.test(value) ? value : String(int64Of(value) ?? 0);
}

/** JSON of a double, as MLflow prints it; 0 where there is none. NaN and infinities have names only. */
export function doubleText(value: unknown): string {
  const number = Number(value ?? 0);
  return Number.isFinite(number) ? pythonFloat(number) : `"${number}"`;
}
