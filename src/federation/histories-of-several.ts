import type { EmbeddedEndpoint } from '../http/embedded/endpoints.ts';
import { BackendAnswer } from '../plan/backend-answer.ts';
import type { Backends } from './backends.ts';
import { type Incoming, ownersOf, translateAnswer, translateRequest } from './incoming.ts';
import { itemsOf } from './json-scan.ts';
import { type Lanes, laneOf } from './lane.ts';
import type { Several } from './several.ts';

/** Histories of a metric of runs in several backends: each is asked for its own, in the order in which they are named. */
export const historiesOfSeveral = (
  { backends, lanes }: { readonly backends: Backends; readonly lanes: Lanes },
  several: Several,
  incoming: Incoming,
): EmbeddedEndpoint => ({
  method: 'GET',
  async answer(_request, _call, signal) {
    const owners = [...ownersOf(incoming, backends).keys()];
    const lists = await Promise.all(
      owners.map((owner) => {
        const lane = laneOf(lanes, owner);
        const { path, query } = translateRequest(
          { ...incoming, query: queryOfOwner(incoming.query, owner, backends) },
          lane.translation.inward,
        );
        return several.ask(lane, [], signal, async (inTime) => {
          const answer = await several
            .clientOf(lane)
            .request({ method: 'GET', path: `${path}?${query}`, signal: inTime });
          const { status, headers, body } = answer;
          if (status !== 200) throw new BackendAnswer(status, String(headers['content-type']), body);
          return itemsOf(translateAnswer(body.toString('utf8'), incoming.ids, lane.translation.outward), 'metrics');
        });
      }),
    );
    const points = lists.flat();
    return points.length === 0 ? '{}' : `{"metrics":[${points.join(',')}]}`;
  },
});

/** The parameters without the runs of other backends. */
const queryOfOwner = (query: string, owner: string, backends: Backends): string =>
  query
    .split('&')
    .filter((pair) => {
      const [, name, value = ''] = /^([^=]*)=(.*)$/s.exec(pair) ?? [];
      if (name !== 'run_ids' && name !== 'run_id') return true;
      return backends.ownerOf(decodeURIComponent(value)) === owner;
    })
    .join('&');
