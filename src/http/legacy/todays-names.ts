import type { PythonJson } from '../../domain/python-text.ts';
import type { Fields } from './call.ts';

const RENAMED: Readonly<Record<string, string>> = { run_uuid: 'run_id' };
const IDS: ReadonlySet<string> = new Set(['experiment_id', 'experiment_ids']);
const VIEWS = new Map<PythonJson | undefined, string>(
  ['ACTIVE_ONLY', 'DELETED_ONLY', 'ALL'].flatMap((name, i) => [
    [BigInt(i + 1), name],
    [`${i + 1}`, name],
  ]),
);

/**
 * The same fields as today's API has them: `run_id` for `run_uuid` unless both are given, ids as texts. Their order stays:
 * MLflow reads no further than to a field of a type that it did not expect.
 * @param renamed further old names with today's
 */
export function withTodaysNames(fields: Fields, renamed = RENAMED): Fields {
  const isGiven = (name: string) => ![undefined, null, ''].includes(fields[name] as undefined | null | '');
  const taken = Object.entries(renamed).filter(([old, name]) => isGiven(old) && !isGiven(name));
  const names = new Map(taken);
  const emptied = new Set(names.values());
  return Object.fromEntries(
    Object.entries(fields)
      .filter(([name]) => !emptied.has(name))
      .map(([name, value]) => [names.get(name) ?? name, IDS.has(name) ? textIds(value) : value]),
  );
}

/** Whether the fields say something else than those they were made of. */
export const differ = (today: Fields, fields: Fields): boolean =>
  Object.keys(today).join() !== Object.keys(fields).join() ||
  Object.entries(today).some(([name, value]) => value !== fields[name]);

function textIds(value: PythonJson): PythonJson {
  if (!Array.isArray(value)) return textId(value);
  const ids = value.map(textId);
  return ids.some((id, i) => id !== value[i]) ? ids : value;
}

const textId = (value: PythonJson): PythonJson =>
  typeof value === 'bigint' || (typeof value === 'number' && Number.isInteger(value)) ? String(BigInt(value)) : value;

/** The name of a view type, for which its number may stand. */
export const viewName = (value: PythonJson | undefined): PythonJson | undefined => VIEWS.get(value) ?? value;

/** A number that a query says as a text. */
export const integerOf = (value: PythonJson | undefined): PythonJson | undefined =>
  typeof value === 'string' && /^-?\d{1,18}$/.test(value) ? BigInt(value) : value;

/** Without fields that are absent. */
export const given = (fields: Readonly<Record<string, PythonJson | undefined>>): Fields =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined && value !== null)) as Fields;
