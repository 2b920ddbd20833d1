import { loadIndex } from './load-index.ts';
import { makeRuns } from './make-runs.ts';
import { measureSearch, type SearchResult } from './measure-search.ts';
import { openIndexSides } from './open-index-sides.ts';
import type { BenchOptions } from './options.ts';
import { type Say, withProgress } from './progress.ts';
import { SEARCH_SHAPES } from './search-shapes.ts';
import { withServices } from './with-services.ts';

const INDEX = 'bench-runs';

/** Searches through a gateway without cache, and the same query sent raw to Elasticsearch, in turns. */
export const benchSearch = ({ runs, samples, profile }: BenchOptions, say: Say): Promise<SearchResult[]> =>
  withServices(async (open) => {
    const { elasticsearchUrl, experimentIds, sides } = await openIndexSides(open, INDEX, profile);
    await loadIndex(elasticsearchUrl, INDEX, withProgress(makeRuns(runs, experimentIds), 'the index', say));
    const results: SearchResult[] = [];
    for (const shape of SEARCH_SHAPES) {
      say(`Search: ${shape.name}`);
      results.push(await measureSearch(sides, shape, experimentIds, samples));
    }
    return results;
  });
