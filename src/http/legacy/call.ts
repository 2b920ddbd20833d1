import { parsePythonJson } from '../../domain/parse-python-json.ts';
import { type PythonJson, pythonJson } from '../../domain/python-text.ts';

/** What a request says, be it in its query or in JSON, or an answer: integers are bigints, so that none is rounded. */
export type Fields = Readonly<Record<string, PythonJson>>;

/** A request of today's API. */
export interface Call {
  readonly method: 'GET' | 'POST';
  /** Path and query. */
  readonly target: string;
  /** JSON. */
  readonly body?: string;
}

/** Asks in the caller's name; gives the JSON that was answered. @throws Refused when the answer is no success; GatewayError */
export type Ask = (call: Call) => Promise<string>;

/** What an answer says. */
export const fieldsOf = (answer: string): Fields => parsePythonJson(answer) as Fields;

/** What is answered then, as it came. */
export class Refused<Answer = unknown> extends Error {
  override readonly name = 'Refused';
  readonly answer: Answer;

  constructor(answer: Answer) {
    super('The tracking server did not answer with a success.');
    this.answer = answer;
  }
}

/** Fields that are null or absent are left out; lists repeat their name. */
export function getCall(path: string, fields: Fields): Call {
  const pairs = Object.entries(fields).flatMap(([name, value]) =>
    [value ?? []].flat().map((item) => `${encode(name)}=${encode(textOf(item))}`),
  );
  return { method: 'GET', target: pairs.length > 0 ? `${path}?${pairs.join('&')}` : path };
}

export const postCall = (path: string, fields: Fields): Call => ({
  method: 'POST',
  target: path,
  body: pythonJson(withoutLiterals(fields)),
});

const textOf = (value: PythonJson): string => (typeof value === 'string' ? value : pythonJson(value));

/** No query can say a lone surrogate. */
const encode = (text: string): string => encodeURIComponent(text.toWellFormed());

/** Old servers took the bare NaN and infinities of Python's JSON; today's reads them as text alone. */
function withoutLiterals(value: PythonJson): PythonJson {
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value);
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(withoutLiterals);
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, withoutLiterals(item)]));
}
