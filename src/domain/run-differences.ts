/** Where a run says something, and what, as exact text. */
type Statements = Map<string, string>;

/**
 * Where two texts of MLflow's run JSON mean different things: the place and both values, `status: "RUNNING" ≠ "FINISHED"`.
 * Empty when they mean the same. The order of metrics, params, tags, datasets and models means nothing, since not every
 * database keeps one, nor does the spelling of a number or a list that is empty instead of absent.
 * @throws SyntaxError when a text is no JSON.
 */
export function runDifferences(a: string, b: string): readonly string[] {
  if (a === b) return [];
  const left = statementsOf(a);
  const right = statementsOf(b);
  return [...new Set([...left.keys(), ...right.keys()])]
    .filter((place) => left.get(place) !== right.get(place))
    .map((place) => `${place}: ${left.get(place) ?? 'nothing'} ≠ ${right.get(place) ?? 'nothing'}`);
}

/** Whether two texts of MLflow's run JSON mean the same. @throws SyntaxError when they differ and one is no JSON. */
export const sameRun = (a: string, b: string): boolean => runDifferences(a, b).length === 0;

function statementsOf(json: string): Statements {
  const statements: Statements = new Map();
  collect(parseExactly(json), '', statements);
  return statements;
}

/** A number that came out of a JSON text, as text. */
class Exact {
  readonly text: string;

  /** Integers keep every digit, as int64 values need; all else is a double, so `1.0` is 1. */
  constructor(source: string) {
    const value = Number(source);
    this.text = /^-?\d+$/.test(source) ? source : Object.is(value, -0) ? '-0' : String(value);
  }
}

const parseExactly = (json: string): unknown =>
  JSON.parse(json, (_key, value: unknown, context?: { source?: string }) =>
    typeof value === 'number' ? new Exact(context?.source ?? String(value)) : value,
  );

function collect(value: unknown, place: string, statements: Statements): void {
  if (value instanceof Exact) statements.set(place, value.text);
  else if (Array.isArray(value)) collectItems(value, place, statements);
  else if (typeof value === 'object' && value !== null)
    for (const [key, part] of Object.entries(value)) collect(part, place === '' ? key : `${place}.${key}`, statements);
  else statements.set(place, JSON.stringify(value));
}

/** Items go by what they are about; of several about the same each is told apart by all it says. */
function collectItems(items: readonly unknown[], place: string, statements: Statements): void {
  for (const [name, alike] of Map.groupBy(items, nameOf)) {
    const sorted = alike.length === 1 ? alike : alike.toSorted((a, b) => (contentOf(a) < contentOf(b) ? -1 : 1));
    for (const [i, item] of sorted.entries())
      collect(item, `${place}[${inBrackets(name)}]${i === 0 ? '' : `#${i + 1}`}`, statements);
  }
}

/** As it is, unless two places could then read the same. */
const inBrackets = (name: string) => (/^[\p{L}\p{N}\p{M} ._:/@+-]*$/u.test(name) ? name : JSON.stringify(name));

interface Item {
  readonly key?: string;
  readonly dataset?: { readonly name?: string; readonly digest?: string };
  readonly model_id?: string;
}

function nameOf(item: unknown): string {
  const { key, dataset, model_id } = (typeof item === 'object' ? (item ?? {}) : {}) as Item;
  return key ?? (dataset && `${dataset.name} ${dataset.digest}`) ?? model_id ?? '';
}

function contentOf(item: unknown): string {
  const statements: Statements = new Map();
  collect(item, '', statements);
  return JSON.stringify([...statements].sort(([a], [b]) => (a < b ? -1 : 1)));
}
