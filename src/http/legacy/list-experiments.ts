import { type PythonJson, pythonJson } from '../../domain/python-text.ts';
import { allPages } from './all-pages.ts';
import { type Fields, fieldsOf, getCall } from './call.ts';
import type { Legacy } from './legacy.ts';
import { given, integerOf, viewName } from './todays-names.ts';

/** The old server's own limit, to which it cut a larger page. */
const MAX_PAGE = 1_000n;
/** Today's largest page. */
const WHOLE_PAGE = 50_000n;
const MOST = 1_000_000;

/** `experiments/list`: all of them by their ids, unless a page is asked for. */
export function listExperiments(fields: Fields, base: string): Legacy {
  const search = given({ view_type: viewName(fields.view_type), order_by: ['experiment_id ASC'] });
  const path = `${base}experiments/search`;
  const asked = integerOf(fields.max_results);
  if (asked !== undefined && asked !== null) {
    const size = typeof asked === 'bigint' && asked > MAX_PAGE ? MAX_PAGE : asked;
    return { become: getCall(path, given({ ...search, max_results: size, page_token: fields.page_token })) };
  }
  return {
    async compose(ask) {
      const experiments = await allPages(MOST, async (token) => {
        const answer = fieldsOf(await ask(getCall(path, { ...search, max_results: WHOLE_PAGE, ...token })));
        const { experiments: items = [], next_page_token: next } = answer;
        return { items: items as readonly PythonJson[], next: next as string | undefined };
      });
      // Protobuf's JSON leaves an empty list out.
      return pythonJson(experiments.length > 0 ? { experiments } : {});
    },
  };
}
