import { compareText } from '../../src/query/order.ts';
import type { Requester } from '../../src/upstream/upstream-client.ts';
import { jsonOf, post } from './ask.ts';

const NAMES = 1_000;

/**
 * Two experiments' names that a server puts in another order than that of their bytes, so that its database sorts text by a
 * collation; undefined where there are none among the first thousand.
 * @throws BackendAnswer or GatewayError when the server does not say.
 */
export async function findCollatedPair(
  client: Requester,
  signal: AbortSignal,
): Promise<readonly [first: string, second: string] | undefined> {
  const body = { order_by: ['name ASC'], view_type: 'ALL', max_results: NAMES };
  const answer = JSON.parse(jsonOf(await post(client, 'experiments/search', body, signal))) as {
    readonly experiments?: readonly { readonly name?: string }[];
  };
  const names = (answer.experiments ?? []).map(({ name = '' }) => name);
  const second = names.findIndex((name, i) => i > 0 && compareText(names[i - 1] ?? '', name) > 0);
  return second > 0 ? [names[second - 1] ?? '', names[second] ?? ''] : undefined;
}
