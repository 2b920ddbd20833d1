import { diskBytes } from './disk-bytes.ts';
import { loadIndex } from './load-index.ts';
import { makeRuns } from './make-runs.ts';
import { measureSearch, type SearchResult, warmUpFor } from './measure-search.ts';
import { openIndexSides } from './open-index-sides.ts';
import { type BenchOptions, FEWEST_RUNS } from './options.ts';
import { peakMemoryMiB } from './process-memory.ts';
import { type Say, withProgress } from './progress.ts';
import { INDEX_SHAPES, type SearchShape } from './search-shapes.ts';
import { checkSame, type Sides } from './search-sides.ts';
import { type Percentiles, percentilesOf } from './statistics.ts';
import { timeInTurns } from './time-in-turns.ts';
import { withServices } from './with-services.ts';

/** An index that holds some number of runs. */
export interface Size {
  readonly runs: number;
  /** Runs that the index took a second, on the way from the size before. */
  readonly loadedPerSecond: number;
  readonly diskBytes: number;
  readonly searches: readonly SearchResult[];
}

export interface DeepPage {
  readonly name: string;
  /** The first page is 1. */
  readonly page: number;
  readonly first: Percentiles;
  readonly deep: Percentiles;
}

export interface ScaleResult {
  readonly small: Size;
  readonly large: Size;
  /** In the larger index. */
  readonly pages: readonly DeepPage[];
  /** Of the gateway, all together. */
  readonly peakMemoryMiB: number;
}

const INDEX = 'bench-scale';
const DEEPEST_PAGE = 1_000;
/** Samples of each search before the first that count. */
const UNCOUNTED = 50;
const PAGED: readonly SearchShape[] = [
  { name: 'all runs, default order' },
  { name: 'metric, 90 % of the runs', filter: 'metrics.accuracy > 0.1' },
  { name: 'all runs, order by metric', orderBy: ['metrics.accuracy DESC'] },
];

/** The same searches over a tenth of the runs and over all of them, in one index that is filled further; and deep pages. */
export const benchScale = ({ runs, samples, profile }: BenchOptions, say: Say): Promise<ScaleResult> =>
  withServices(async (open) => {
    const { elasticsearchUrl, experimentIds, gateway, sides } = await openIndexSides(open, INDEX, profile);
    const made = makeRuns(runs, experimentIds);
    const fill = (count: number) =>
      loadIndex(elasticsearchUrl, INDEX, withProgress(next(made, count), 'the index', say));

    async function measureAll(samples: number): Promise<SearchResult[]> {
      const results: SearchResult[] = [];
      for (const shape of INDEX_SHAPES) {
        say(`Search: ${shape.name}`);
        results.push(await measureSearch(sides, shape, experimentIds, samples));
      }
      return results;
    }

    async function fillTo(runs: number, before: number): Promise<Size> {
      const loadedPerSecond = await fill(runs - before);
      say(`Searches over ${runs} runs`);
      // Code that is not compiled yet would make the first size look slow.
      if (before === 0) await measureAll(Math.min(samples, UNCOUNTED));
      const searches = await measureAll(samples);
      return { runs, loadedPerSecond, diskBytes: await diskBytes(elasticsearchUrl, INDEX), searches };
    }

    const tenth = Math.max(FEWEST_RUNS, Math.floor(runs / 10));
    const small = await fillTo(tenth, 0);
    const large = await fillTo(runs, tenth);
    const pages: DeepPage[] = [];
    // Half of the runs at most, so that any of these searches has as many pages.
    const page = Math.min(DEEPEST_PAGE, Math.floor(runs / 200));
    for (const shape of PAGED) {
      say(`Page ${page}: ${shape.name}`);
      pages.push(await comparePages(sides, shape, page, experimentIds, samples));
    }
    return { small, large, pages, peakMemoryMiB: peakMemoryMiB(gateway.process.pid as number) };
  });

/** The next so many items, or all that are left; the iterator can be gone on with. */
function* next<T>(items: Iterator<T>, count: number): Generator<T> {
  for (let i = 0; i < count; i++) {
    const { done, value } = items.next();
    if (done) return;
    yield value;
  }
}

async function comparePages(
  sides: Sides,
  shape: SearchShape,
  page: number,
  experimentIds: readonly string[],
  samples: number,
): Promise<DeepPage> {
  const first = await sides.question(shape, experimentIds);
  const deep = await sides.question({ ...shape, skipPages: page - 1 }, experimentIds);
  await checkSame(sides, first);
  await checkSame(sides, deep);
  const times = await timeInTurns({
    first: { ask: () => sides.askGateway(first.gateway), samples, warmUp: warmUpFor(samples) },
    deep: { ask: () => sides.askGateway(deep.gateway), samples, warmUp: warmUpFor(samples) },
  });
  return { name: shape.name, page, first: percentilesOf(times.first), deep: percentilesOf(times.deep) };
}
