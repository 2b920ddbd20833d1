import { invalidParameter } from '../../errors/gateway-error.ts';
import { textOfExpressions } from './anded-expressions.ts';
import { type Fields, postCall } from './call.ts';
import type { Legacy } from './legacy.ts';
import { differ, given, integerOf, viewName, withTodaysNames } from './todays-names.ts';

/** `runs/search` with numbers as ids, and with `anded_expressions`, which become the filter. */
export function searchRuns(fields: Fields, base: string): Legacy | undefined {
  const today = withTodaysNames(fields);
  const { run_view_type: view } = today;
  const search = view === undefined ? today : { ...today, run_view_type: viewName(view) ?? null };
  const { anded_expressions: expressions = null, andedExpressions: camelCase = null, ...rest } = search;
  const become = (searched: Fields) => ({ become: postCall(`${base}runs/search`, searched) });
  if (expressions === null && camelCase === null) return differ(search, fields) ? become(search) : undefined;
  if (expressions !== null && camelCase !== null) throw invalidParameter(TWO_SPELLINGS);
  const filter = textOfExpressions(expressions ?? camelCase);
  if (filter === '') return become(rest);
  const { filter: other = null, ...others } = rest;
  if (other !== null && other !== '') throw invalidParameter(TWO_FILTERS);
  // First: MLflow reads no further than to a field of a type that it did not expect, and would find every run.
  return become({ filter, ...others });
}

/** The method of the first documentation. */
export function searchRunsByGet(fields: Fields, base: string): Legacy {
  const numbered = given({ ...fields, max_results: integerOf(fields.max_results) });
  return searchRuns(numbered, base) ?? { become: postCall(`${base}runs/search`, numbered) };
}

const TWO_SPELLINGS = "Request specifies both 'anded_expressions' and 'andedExpressions'; provide only one of them.";
/** The words of the servers that had both (`mlflow/utils/search_utils.py` of 0.9). */
const TWO_FILTERS = "Can specify only one of 'filter' or 'search_expression'";
