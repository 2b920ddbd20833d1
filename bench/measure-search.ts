import type { SearchShape } from './search-shapes.ts';
import { checkSame, type Sides } from './search-sides.ts';
import { type Percentiles, percentilesOf } from './statistics.ts';
import { timeInTurns } from './time-in-turns.ts';

export interface SearchResult {
  readonly name: string;
  readonly rows: number;
  /** Through the gateway, to the last byte. */
  readonly gateway: Percentiles;
  /** The very request that the gateway's adapter makes, to the last byte. */
  readonly raw: Percentiles;
  /** The same with the answer parsed: what any program needs that goes on working with it. */
  readonly decoded: Percentiles;
  /** The same as `raw` through a proxy that does nothing else: what any gateway costs. */
  readonly proxied: Percentiles;
}

const WARM_UP = 100;

/** Calls of a side before the first that counts, if there are as many that do. */
export const warmUpFor = (samples: number): number => Math.min(WARM_UP, samples);

/** A search through a gateway without cache, and the same query sent raw to Elasticsearch, in turns. */
export async function measureSearch(
  sides: Sides,
  shape: SearchShape,
  experimentIds: readonly string[],
  samples: number,
): Promise<SearchResult> {
  const question = await sides.question(shape, experimentIds);
  const rows = await checkSame(sides, question);
  const timed = (ask: () => Promise<unknown>) => ({ ask, samples, warmUp: warmUpFor(samples) });
  const times = await timeInTurns({
    gateway: timed(() => sides.askGateway(question.gateway)),
    raw: timed(() => sides.askRaw(question.raw)),
    proxied: timed(() => sides.askProxied(question.raw)),
    decoded: timed(async () => JSON.parse((await sides.askRaw(question.raw)).toString())),
  });
  return {
    name: shape.name,
    rows,
    gateway: percentilesOf(times.gateway),
    raw: percentilesOf(times.raw),
    decoded: percentilesOf(times.decoded),
    proxied: percentilesOf(times.proxied),
  };
}
