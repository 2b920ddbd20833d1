import { createExperiments } from '../test/fuzz/load-runs.ts';
import { startElasticsearch } from '../test/services/elasticsearch.ts';
import { startMlflow } from '../test/services/mlflow.ts';
import { type Ask, openConnection } from './connection.ts';
import { diskBytes } from './disk-bytes.ts';
import { loadIndex } from './load-index.ts';
import { type LongRun, measureLongRun } from './long-run.ts';
import { makeRuns } from './make-runs.ts';
import { makeWideRuns, WIDE_KEYS } from './make-wide-runs.ts';
import { warmUpFor } from './measure-search.ts';
import { openIndexGateway } from './open-index-gateway.ts';
import type { BenchOptions } from './options.ts';
import { peakMemoryMiB } from './process-memory.ts';
import { type Say, withProgress } from './progress.ts';
import { toRequest, turnPages } from './search-request.ts';
import { type SearchShape, WIDE_SHAPES } from './search-shapes.ts';
import { type Percentiles, percentilesOf } from './statistics.ts';
import { timeInTurns } from './time-in-turns.ts';
import { withServices } from './with-services.ts';

type Width = 'narrow' | 'wide';

/** An index that was filled. */
export interface Filled {
  readonly loadedPerSecond: number;
  /** The runs as MLflow writes them. */
  readonly textBytes: number;
  readonly diskBytes: number;
}

export interface WideSearch {
  readonly name: string;
  readonly pageSize: number;
  readonly rows: number;
  readonly times: Readonly<Record<Width, Percentiles>>;
  readonly answerBytes: Readonly<Record<Width, number>>;
}

export interface WideResult {
  readonly runs: number;
  readonly samples: number;
  readonly filled: Readonly<Record<Width, Filled>>;
  readonly searches: readonly WideSearch[];
  readonly longRun: LongRun;
  /** Of the gateway over wide runs, all together. */
  readonly peakMemoryMiB: number;
}

const EXPERIMENTS = 20;
const INDEX: Readonly<Record<Width, string>> = { narrow: 'bench-narrow', wide: 'bench-wide' };
/** One run is what the search itself costs; a page is as many times as long as its runs are. */
const PAGE_SIZES = [1, 100];
const PROGRESS_RUNS = 500;

/** Runs of very many keys, and as many narrow ones in another index, searched through two gateways in turns. */
export const benchWide = ({ wideRuns: runs, samples, profile }: BenchOptions, say: Say): Promise<WideResult> =>
  withServices(async (open) => {
    const [elasticsearch, mlflow] = await Promise.all([
      open(startElasticsearch({ heapMb: 2_048 })),
      open(startMlflow()),
    ]);
    const all = await createExperiments(mlflow.url, EXPERIMENTS + 1, 'bench');
    const [ofLongRun = '', ...experimentIds] = all;
    const openOne = (width: Width) =>
      openIndexGateway(open, {
        ...{ mlflowUrl: mlflow.url, elasticsearchUrl: elasticsearch.url, index: INDEX[width] },
        ...{ experimentIds: all, profile },
      });
    const gateways = { narrow: await openOne('narrow'), wide: await openOne('wide') };

    async function fill(width: Width, made: Iterable<string>): Promise<Filled> {
      let textBytes = 0;
      function* counted() {
        for (const run of withProgress(made, `the ${width} index`, say, PROGRESS_RUNS)) {
          textBytes += Buffer.byteLength(run);
          yield run;
        }
      }
      const loadedPerSecond = await loadIndex(elasticsearch.url, INDEX[width], counted());
      return { loadedPerSecond, textBytes, diskBytes: await diskBytes(elasticsearch.url, INDEX[width]) };
    }

    const filled = {
      narrow: await fill('narrow', makeRuns(runs, experimentIds)),
      wide: await fill('wide', makeWideRuns(runs, experimentIds)),
    };
    const isRight = (headers: Record<string, unknown>) => headers['x-gateway-source'] === 'index';
    const asks = {
      narrow: await openConnection(open, gateways.narrow.url, { isRight }),
      wide: await openConnection(open, gateways.wide.url, { isRight }),
    };
    const searches: WideSearch[] = [];
    for (const shape of WIDE_SHAPES) {
      say(`Search: ${shape.name}`);
      for (const pageSize of PAGE_SIZES)
        searches.push(await compare(asks, { ...shape, pageSize }, experimentIds, samples));
    }
    say('A run with very many metrics');
    const longRun = await measureLongRun(open, {
      ...{ gatewayUrl: gateways.wide.url, mlflowUrl: mlflow.url },
      ...{ experimentId: ofLongRun, samples },
    });
    const peak = peakMemoryMiB(gateways.wide.process.pid as number);
    return { runs, samples, filled, searches, longRun, peakMemoryMiB: peak };
  });

async function compare(
  asks: Readonly<Record<Width, Ask>>,
  shape: SearchShape & { readonly pageSize: number },
  experimentIds: readonly string[],
  samples: number,
): Promise<WideSearch> {
  const request = toRequest(await turnPages(asks.narrow, shape, experimentIds));
  const [narrow, wide] = [await asks.narrow(request), await asks.wide(request)];
  const rows = checkSameButForWidth(narrow, wide);
  const times = await timeInTurns({
    narrow: { ask: () => asks.narrow(request), samples, warmUp: warmUpFor(samples) },
    wide: { ask: () => asks.wide(request), samples, warmUp: warmUpFor(samples) },
  });
  return {
    ...{ name: shape.name, pageSize: shape.pageSize, rows },
    times: { narrow: percentilesOf(times.narrow), wide: percentilesOf(times.wide) },
    answerBytes: { narrow: narrow.length, wide: wide.length },
  };
}

interface Page {
  readonly runs?: readonly {
    readonly info: { readonly run_id: string };
    readonly data: Readonly<Record<'metrics' | 'params' | 'tags', readonly object[]>>;
  }[];
}

/** @returns how many runs there are @throws Error unless both have the same, and the wide ones whole. */
function checkSameButForWidth(narrow: Buffer, wide: Buffer): number {
  const [expected = [], actual = []] = [narrow, wide].map((answer) => (JSON.parse(answer.toString()) as Page).runs);
  const idsOf = (runs: NonNullable<Page['runs']>) => runs.map(({ info }) => info.run_id).join();
  if (expected.length === 0) throw new Error('No run was found.');
  if (idsOf(expected) !== idsOf(actual)) throw new Error('The gateway over wide runs gave other runs.');
  const isWhole = actual.every(({ data }) => data.metrics.length + data.params.length + data.tags.length === WIDE_KEYS);
  if (!isWhole) throw new Error('The gateway gave a wide run that lacks keys.');
  return actual.length;
}
