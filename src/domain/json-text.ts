import { pythonFloat } from './python-text.ts';

/** What an answer is made of: int64 as bigint, doubles as numbers, absent fields as undefined. */
export type JsonSource =
  | undefined
  | boolean
  | bigint
  | number
  | string
  | RawJson
  | readonly JsonSource[]
  | { readonly [key: string]: JsonSource };

/** Text that is JSON already. */
export class RawJson {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/**
 * Compact JSON as MLflow means it: every number is a double and printed as Python does, every bigint an exact integer, and
 * NaN is the string `"NaN"`. Fields that are undefined are left out.
 */
export function jsonText(source: JsonSource): string {
  if (typeof source === 'number') return Number.isNaN(source) ? '"NaN"' : pythonFloat(source);
  if (typeof source === 'bigint') return String(source);
  if (typeof source !== 'object') return JSON.stringify(source ?? null);
  if (source instanceof RawJson) return source.text;
  if (Array.isArray(source)) return `[${source.map((item: JsonSource) => jsonText(item)).join(',')}]`;
  const fields = Object.entries(source).filter(([, value]) => value !== undefined);
  return `{${fields.map(([key, value]) => `${JSON.stringify(key)}:${jsonText(value)}`).join(',')}}`;
}

/** A list as protobuf's JSON has it: an empty one is left out. */
export const listOf = <T>(items: readonly T[]): readonly T[] | undefined => (items.length > 0 ? items : undefined);
