import { checkRunFilter } from '../filter/check-run-filter.ts';
import { holds } from '../filter/evaluate.ts';
import { parseFilter } from '../filter/parse.ts';
import { readRuns } from '../held-runs.ts';
import { type PresentedRun, presentRun } from '../present-run.ts';
import { parseRunOrder, sortRuns } from '../run-order.ts';
import { valuesOf } from '../run-values.ts';
import type { Call, Endpoint, Workspace } from '../workspace.ts';
import { listIn, textIn } from './fields.ts';

interface Asked {
  readonly text: string;
  readonly orderBy: readonly unknown[];
  readonly numbers: readonly string[];
  readonly view: unknown;
}

/**
 * All runs of the experiments are read from MLflow, and filtered and ordered here: neither the service's filters nor its
 * order are MLflow's. The runs of a later page are read when it is asked for, in the order the search began with.
 */
export const searchRuns: Endpoint = async (call, workspace) => {
  const { body } = call;
  const asked = {
    text: textIn(body.filter),
    orderBy: listIn(body.order_by, 'order_by'),
    numbers: await workspace.experimentNumbers(listIn(body.experiment_ids, 'experiment_ids')),
    view: body.run_view_type ?? 'ACTIVE_ONLY',
  };
  const token = textIn(body.page_token);
  const { pageTokens } = workspace;
  const found = token ? undefined : await find(asked, call, workspace);
  const ids = found ? [...found.keys()] : pageTokens.idsAfter(token, asked);
  const page = pageTokens.cut(ids, body.max_results, asked);
  const runs = found ?? (await read(asked, call, workspace, page.ids));
  return { runs: page.ids.flatMap((id) => runs.get(id)?.run ?? []), next_page_token: page.nextToken };
};

async function find(asked: Asked, call: Call, workspace: Workspace): Promise<ReadonlyMap<string, PresentedRun>> {
  const { rules, random } = workspace;
  const filter = checkRunFilter(parseFilter(asked.text), asked.text, rules);
  const order = parseRunOrder(asked.orderBy, rules);
  const runs = await read(asked, call, workspace);
  const found = [...runs.values()].filter((run) => holds(filter, valuesOf(run, rules), rules));
  return new Map(sortRuns(found, order, rules, random).map((run) => [run.hex, run]));
}

async function read({ numbers, view }: Asked, { version }: Call, workspace: Workspace, hexes?: readonly string[]) {
  const held = await readRuns(workspace, { numbers, view, ...(hexes && { hexes }) });
  const presented = await Promise.all(held.map((run) => presentRun(run, version, workspace)));
  return new Map(presented.map((run) => [run.hex, run]));
}
