import { isDeepStrictEqual } from 'node:util';

/** One answer of a server or a gateway, decoded no further than a comparison needs. */
export interface Answer {
  readonly status: number;
  readonly source: string | null;
  readonly text: string;
}

/** Asks one `runs/search`. */
export async function ask(base: string, body: unknown, prefix = '/api/2.0'): Promise<Answer> {
  const answer = await fetch(`${base}${prefix}/mlflow/runs/search`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  return { status: answer.status, source: answer.headers.get('x-gateway-source'), text: await answer.text() };
}

interface Page {
  readonly runs?: readonly { info: { run_id: string } }[];
  readonly next_page_token?: string;
}

/** Numbers beyond 2^53 stay apart: they are compared as they are written. */
const decode = (text: string): unknown =>
  JSON.parse(text, (_key, value: unknown, context?: { source: string }) =>
    typeof value === 'number' && !Number.isSafeInteger(value) && /^-?\d+$/.test(context?.source ?? '')
      ? `int ${context?.source}`
      : value,
  );

// Metrics, params, tags and inputs of a run come in no defined order: MLflow's query has no ORDER BY for them.
const UNORDERED = new Set(['metrics', 'params', 'tags', 'dataset_inputs']);
function settle(value: unknown, key = ''): unknown {
  if (Array.isArray(value)) {
    const items = value.map((item) => settle(item));
    return UNORDERED.has(key) ? items.map((item) => JSON.stringify(item)).sort() : items;
  }
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, settle(inner, name)]));
}

/**
 * Python prints a set in an order that changes from process to process, and objects with their address; MLflow binds the
 * stages of a view, a set, in that order too.
 */
export const settleMessage = (message: string): string =>
  message
    .replace(/\[SQL: .*/s, '[SQL]')
    .replace(/\{[^{}]*\}/g, (set) => `{${set.slice(1, -1).split(', ').sort().join(', ')}}`)
    .replace(/0x[0-9a-f]{6,}/g, '0x');

const parseJson = (text: string): unknown => {
  try {
    return decode(text);
  } catch {
    return undefined;
  }
};

export const pageOf = ({ text }: Answer): Page => (parseJson(text) ?? {}) as Page;

/** What sets two answers apart; undefined when nothing does. */
export function differenceOf(expected: Answer, actual: Answer): string | undefined {
  if (expected.status !== actual.status)
    return `status ${expected.status} (${expected.text.slice(0, 300)}) became ${actual.status}: ${actual.text.slice(0, 300)}`;
  const [a, b] = [parseJson(expected.text), parseJson(actual.text)];
  if (expected.status !== 200 || a === undefined) {
    const same = settleMessage(expected.text) === settleMessage(actual.text);
    return same ? undefined : `error ${expected.text.slice(0, 300)} became ${actual.text.slice(0, 300)}`;
  }
  return differenceOfPages(a as Page, b as Page);
}

function differenceOfPages(a: Page, b: Page): string | undefined {
  const ids = ({ runs = [] }: Page) => runs.map(({ info }) => info.run_id);
  if (!isDeepStrictEqual(ids(a), ids(b))) return `runs [${ids(a)}] became [${ids(b)}]`;
  if ((a.next_page_token === undefined) !== (b.next_page_token === undefined))
    return `next page ${a.next_page_token} became ${b.next_page_token}`;
  if (Object.keys(a).sort().join() !== Object.keys(b).sort().join())
    return `fields ${Object.keys(a)} became ${Object.keys(b)}`;
  for (const [i, run] of (a.runs ?? []).entries()) {
    const [x, y] = [settle(run), settle(b.runs?.[i])];
    if (!isDeepStrictEqual(x, y)) return `run ${JSON.stringify(x)} became ${JSON.stringify(y)}`;
  }
  const [x, y] = [a, b].map(({ runs, next_page_token, ...rest }) => settle(rest));
  return isDeepStrictEqual(x, y) ? undefined : `${JSON.stringify(x)} became ${JSON.stringify(y)}`;
}

interface Refusal {
  readonly error_code?: string;
  readonly message?: string;
}

/** What MLflow's database says, by what it begins with or has in it. */
const OF_THE_DATABASE = /^\(|sqlite3|Python int too large|SQL: /;

/**
 * As {@link differenceOf}, for the gateway's own store, which has no database to quote, and which refuses searches that
 * MLflow answers by accident of its grammar with an error that points at the place.
 */
export function differenceOfStore(expected: Answer, actual: Answer): string | undefined {
  const [truth, own] = [expected, actual].map(({ text }) => (parseJson(text) ?? {}) as Refusal);
  if (expected.status === 200 && actual.status === 400 && /\n *\^ at character/.test(own?.message ?? ''))
    return undefined;
  if (expected.status === 200) return differenceOf(expected, actual);
  const wordsDiffer =
    !OF_THE_DATABASE.test(truth?.message ?? '') &&
    settleMessage(truth?.message ?? expected.text) !== settleMessage(own?.message ?? actual.text);
  if (expected.status === actual.status && truth?.error_code === own?.error_code && !wordsDiffer) return undefined;
  return `error ${expected.status} ${expected.text.slice(0, 300)} became ${actual.status} ${actual.text.slice(0, 300)}`;
}
