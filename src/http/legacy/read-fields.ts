import { nestsDeeperThan } from '../../domain/json-depth.ts';
import { parsePythonBody, parsePythonJson } from '../../domain/parse-python-json.ts';
import type { PythonJson } from '../../domain/python-text.ts';
import { invalidParameter } from '../../errors/gateway-error.ts';
import { queryArguments } from '../embedded/query-arguments.ts';
import type { Fields } from './call.ts';

/** Fields that are lists, even if there is one value. */
const LISTS: ReadonlySet<string> = new Set(['experiment_ids', 'order_by']);
/** A name with places below it, as the parser of the old server read them: `anded_expressions[0][metric][key]`. */
const NAME = /^(\w+)((?:\[\w*\]){0,8})$/;
/** As the gateway's own tracking server. */
const MAX_DEPTH = 100;

/** Of a name given twice the first value counts, as it does today. */
export function fieldsOfQuery(query: string): Fields {
  const fields = new Map<string, Place>();
  for (const [given, values] of queryArguments(query)) {
    const [, name = given, below = ''] = NAME.exec(given) ?? [];
    const path = [name, ...Array.from(below.matchAll(/\[(\w*)\]/g), ([, key = '']) => key)];
    const isList = path.length === 1 ? LISTS.has(name) : path.at(-1) === '';
    if (isList) for (const value of values) put(fields, path.length === 1 ? [name, ''] : path, value);
    else put(fields, path, values[0] ?? '');
  }
  return Object.fromEntries(Array.from(fields, ([name, place]) => [name, jsonOf(place)]));
}

type Place = string | Map<string, Place>;

/** An empty key is the next one of a list. */
function put(places: Map<string, Place>, [first = '', ...rest]: readonly string[], value: string): void {
  const key = first === '' ? String(places.size) : first;
  if (rest.length === 0) return void (places.has(key) || places.set(key, value));
  const below = places.get(key) ?? new Map<string, Place>();
  places.set(key, below);
  if (typeof below !== 'string') put(below, rest, value);
}

function jsonOf(place: Place): PythonJson {
  if (typeof place === 'string') return place;
  const entries = [...place];
  if (!entries.every(([key]) => /^\d+$/.test(key)))
    return Object.fromEntries(entries.map(([key, below]) => [key, jsonOf(below)]));
  return entries.sort(([a], [b]) => Number(a) - Number(b)).map(([, below]) => jsonOf(below));
}

/**
 * Undefined for what MLflow takes for nothing, or would not read: no JSON, no object. An object in a text counts.
 * @throws GatewayError INVALID_PARAMETER_VALUE for what is nested deeper than any request: MLflow might read it
 */
export function fieldsOfBody(body: Buffer): Fields | undefined {
  refuseNested(body);
  const given = parsePythonBody(body);
  const value = typeof given === 'string' ? parseInner(given) : given;
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : undefined;
}

function parseInner(text: string): PythonJson | undefined {
  refuseNested(Buffer.from(text));
  try {
    return parsePythonJson(text);
  } catch {
    return undefined;
  }
}

function refuseNested(text: Buffer): void {
  if (nestsDeeperThan(MAX_DEPTH, text)) throw invalidParameter('The body of the request is nested too deep.');
}
