import { pythonFloatOf, pythonInteger, pythonType } from '../../domain/python-numbers.ts';
import { type PythonJson, pythonJson } from '../../domain/python-text.ts';
import { invalidParameter } from '../../errors/gateway-error.ts';
import { ServerFault } from './server-fault.ts';

export interface Check {
  /** Asked only when the message could not be filled, as MLflow trusts a filled one. */
  readonly ofType: boolean;
  /** The value is the raw JSON. @returns why it is refused, or true for the general text */
  refuse(value: PythonJson | undefined): string | boolean;
}

/** What MLflow asks of one parameter, in order. */
export type Checks = Readonly<Record<string, readonly Check[]>>;

const isEmpty = (value: PythonJson | undefined) => value === undefined || value === null || value === '';

const typeCheck = (accepts: (value: PythonJson | undefined) => boolean): Check => ({
  ofType: true,
  refuse: (value) => !accepts(value),
});

export const required: Check = { ofType: false, refuse: isEmpty };
export const isString = typeCheck((value) => typeof value === 'string');
export const isArray = typeCheck(Array.isArray);
export const isIntLike = typeCheck((value) => pythonInteger(value) !== undefined);
export const isFloatLike = typeCheck((value) => pythonFloatOf(value) !== undefined);
export const hasStrings = typeCheck((value) => itemsOf(value).every((item) => typeof item === 'string'));

/** Each entry of a list has these fields. */
export const entriesHave = (parameter: string, ...fields: readonly string[]): Check => ({
  ofType: false,
  refuse(value) {
    for (const [at, entry] of itemsOf(value).entries()) {
      const lacking = fields.find((field) => isEmpty(fieldOf(entry, field)));
      if (lacking) return missing(`${parameter}[${at}].${lacking}`);
    }
    return false;
  },
});

export const atMostRuns = (limit: number): Check => ({
  ofType: false,
  refuse(value) {
    const count = typeof value === 'string' ? [...value].length : itemsOf(value).length;
    return (
      count > limit &&
      `GetMetricHistoryBulkInterval request must specify at most ${limit} run_ids. Received ${count} run_ids.`
    );
  },
});

export const atMost = (max: bigint): Check => ({
  ofType: false,
  refuse: (value) => integerIn(value) > max,
});

export const within = (parameter: string, min: bigint, max: bigint): Check => ({
  ofType: false,
  refuse(value) {
    const number = integerIn(value);
    return (number < min || number > max) && `${parameter} must be between ${min} and ${max}.`;
  },
});

function integerIn(value: PythonJson | undefined): bigint {
  const number = pythonInteger(value);
  if (number === undefined) throw new ServerFault('int() of a text that is no number');
  return number;
}

/** @throws ServerFault for what Python cannot iterate over */
function itemsOf(value: PythonJson | undefined): readonly PythonJson[] {
  if (Array.isArray(value)) return value;
  if (typeof value === 'string') return [...value];
  if (typeof value === 'object' && value !== null) return Object.keys(value);
  throw new ServerFault('a value that is no list');
}

function fieldOf(entry: PythonJson, name: string): PythonJson | undefined {
  if (typeof entry === 'object' && entry !== null && !Array.isArray(entry)) {
    return (entry as Readonly<Record<string, PythonJson>>)[name];
  }
  throw new ServerFault('a list entry that is no object');
}

const missing = (path: string) => `Missing value for required parameter '${path}'.`;

/**
 * Checks the raw JSON of a request.
 * @param filled whether the message took all of it
 * @throws GatewayError INVALID_PARAMETER_VALUE; ServerFault
 */
export function checkRequest(json: PythonJson, checks: Checks, filled: boolean): void {
  for (const [name, list] of Object.entries(checks)) {
    if (!list.includes(required) && !has(json, name)) continue;
    const value = sentValue(json, name);
    for (const check of list) {
      if (check.ofType && filled) continue;
      const refusal = check.refuse(value);
      if (refusal === false) continue;
      throw invalidParameter(
        `${textOf(refusal, name, value, check)} See the API docs for more information about request parameters.`,
      );
    }
  }
}

function textOf(refusal: string | true, name: string, value: PythonJson | undefined, check: Check): string {
  if (refusal !== true) return refusal;
  if (check === required) return missing(name);
  const json = pythonJson(value ?? null, { sortKeys: true });
  return `Invalid value ${json} for parameter '${name}' supplied:  Hint: Value was of type '${pythonType(value)}'.`;
}

function has(json: PythonJson, name: string): boolean {
  if (typeof json === 'string') return json.includes(name);
  if (Array.isArray(json)) return json.includes(name);
  return Object.hasOwn(json as object, name);
}

/** The old name of a run's id stands in for the new one. */
function sentValue(json: PythonJson, name: string): PythonJson | undefined {
  const value = fieldOf(json, name);
  if (name !== 'run_id' || (value !== undefined && value !== null)) return value;
  return fieldOf(json, 'run_uuid');
}
