import { setTimeout as sleep } from 'node:timers/promises';
import { createRuns } from './create-runs.ts';
import { loadIndex } from './load-index.ts';
import { makeRuns } from './make-runs.ts';
import { whileWriting } from './metric-writer.ts';
import { openIndexSides } from './open-index-sides.ts';
import type { BenchOptions } from './options.ts';
import { heldMemoryMiB, peakMemoryMiB } from './process-memory.ts';
import { type Say, withProgress } from './progress.ts';
import { CLIENTS, loadSearches } from './search-load.ts';
import { toRequest, toSearch } from './search-request.ts';
import { INDEX_SHAPES } from './search-shapes.ts';
import { withServices } from './with-services.ts';

export interface GrowthResult {
  readonly clients: number;
  readonly minutes: number;
  readonly writesPerSecond: number;
  readonly searchesPerSecond: number;
  readonly failed: number;
  /** What the gateway held, in MiB, before any load and then at the end of each minute. */
  readonly heldMiB: readonly number[];
  readonly peakMiB: number;
}

const INDEX = 'bench-growth';
const WRITES_A_SECOND = 20;
const WRITTEN_RUNS = 20;
const MINUTE_MS = 60_000;
const UNDER_LOAD = { 'x-gateway-consistency': 'eventual' };

/** What the gateway holds while 16 clients search for half an hour, pages of 1,000 among it, beside writes. */
export const benchGrowth = ({ runs, minutes, profile }: BenchOptions, say: Say): Promise<GrowthResult> =>
  withServices(async (open) => {
    const { elasticsearchUrl, experimentIds, gateway } = await openIndexSides(open, INDEX, profile);
    await loadIndex(elasticsearchUrl, INDEX, withProgress(makeRuns(runs, experimentIds), 'the index', say));
    const pid = gateway.process.pid as number;
    const requests = INDEX_SHAPES.map((shape) => {
      const request = toRequest(toSearch(shape, experimentIds));
      return { ...request, headers: { ...request.headers, ...UNDER_LOAD } };
    });
    const runIds = await createRuns(gateway.url, experimentIds, WRITTEN_RUNS);

    const heldMiB = [heldMemoryMiB(pid)];
    const watch = async () => {
      for (let minute = 1; minute <= minutes; minute++) {
        await sleep(MINUTE_MS);
        heldMiB.push(heldMemoryMiB(pid));
        say(`${minute} of ${minutes} min: ${heldMiB.at(-1)?.toFixed(0)} MiB`);
      }
    };
    const { result, writesPerSecond } = await whileWriting(
      { url: gateway.url, runIds, perSecond: WRITES_A_SECOND },
      async () => {
        const searching = loadSearches({ url: gateway.url, requests, seconds: minutes * 60 });
        const [load] = await Promise.all([searching, watch()]);
        return load;
      },
    );
    return {
      ...{ clients: CLIENTS, minutes, writesPerSecond, heldMiB, peakMiB: peakMemoryMiB(pid) },
      ...{ searchesPerSecond: result.perSecond, failed: result.failed },
    };
  });
