import { openConnection } from './connection.ts';
import type { RecordedRequest } from './recorder.ts';
import { median, type Percentiles, percentilesOf } from './statistics.ts';
import { withServices } from './with-services.ts';

interface SearchClients {
  readonly url: string;
  readonly requests: readonly RecordedRequest[];
  readonly seconds: number;
}

/** What a round of load gave. */
export interface LoadRound {
  readonly perSecond: number;
  /** In ms. */
  readonly times: readonly number[];
  /** Answers that came from an index, and from a cache. */
  readonly fromIndex: number;
  readonly fromCache: number;
  /** Requests that were not answered with status 200. */
  readonly failed: number;
}

/** What rounds gave together: the median of their rates, and times over all. */
export interface SearchLoad extends Percentiles {
  readonly perSecond: number;
  readonly answers: number;
  /** The share of answers that came from an index, and from a cache. */
  readonly indexShare: number;
  readonly cacheShare: number;
  readonly failed: number;
}

/** What every load of searches is made of, that loads may be compared. */
export const CLIENTS = 16;
export const ROUNDS = 5;

/** Clients that each ask one search after the other over a kept connection, all of them the same mix. */
export const loadSearches = ({ url, requests, seconds }: SearchClients): Promise<LoadRound> =>
  withServices(async (open) => {
    let fromIndex = 0;
    let fromCache = 0;
    let failed = 0;
    const isRight = ({ 'x-gateway-source': source }: Record<string, unknown>) => {
      if (source === 'index') fromIndex++;
      if (source === 'cache') fromCache++;
      return true;
    };
    const asks = await Promise.all(Array.from({ length: CLIENTS }, () => openConnection(open, url, { isRight })));
    const times: number[] = [];
    const start = performance.now();
    const end = start + seconds * 1_000;
    await Promise.all(
      asks.map(async (ask, i) => {
        // Each begins elsewhere in the mix, so that at any time all kinds are under way.
        for (let at = Math.floor((i * requests.length) / CLIENTS); performance.now() < end; at++) {
          const asked = performance.now();
          try {
            await ask(requests[at % requests.length] as RecordedRequest);
            times.push(performance.now() - asked);
          } catch {
            failed++;
          }
        }
      }),
    );
    return { perSecond: (times.length * 1_000) / (performance.now() - start), times, fromIndex, fromCache, failed };
  });

export function summarizeLoad(rounds: readonly LoadRound[]): SearchLoad {
  const times = rounds.flatMap((round) => round.times);
  return {
    ...percentilesOf(times),
    perSecond: median(rounds.map(({ perSecond }) => perSecond)),
    answers: times.length,
    failed: rounds.reduce((sum, { failed }) => sum + failed, 0),
    indexShare: rounds.reduce((sum, { fromIndex }) => sum + fromIndex, 0) / times.length,
    cacheShare: rounds.reduce((sum, { fromCache }) => sum + fromCache, 0) / times.length,
  };
}
