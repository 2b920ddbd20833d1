import { FilterSyntaxError } from '../query/filter-syntax-error.ts';
import { parseExperimentFilter } from '../query/parse-filter.ts';
import { printFilter } from '../query/print.ts';
import type { View } from '../query/run-query.ts';
import { dependency, type HandOn, type PlannedRead, type ReadAnswer } from './read.ts';

/** An `experiments/search` whose JSON is plainly what MLflow documents. */
export interface ExperimentSearch {
  readonly filter: string;
  readonly orderBy: readonly string[];
  readonly view: View;
  /** 1 to 50,000. */
  readonly maxResults: number;
  readonly pageToken: string;
}

/** Asks a backend. @throws GatewayError */
export type SearchExperiments = (search: ExperimentSearch, signal: AbortSignal) => Promise<ReadAnswer>;

/**
 * Turns searches for experiments into reads. The filter is parsed, so that one meaning is one cache entry, and printed
 * back; order and token go to the backend as they are. Experiments are few, so no index holds them.
 */
export const createExperimentSearch =
  (ask: SearchExperiments) =>
  (search: ExperimentSearch): PlannedRead | HandOn => {
    try {
      const canonical = {
        ...search,
        filter: printFilter(parseExperimentFilter(search.filter)),
      };
      return {
        resource: 'experimentSearch',
        concern: { kind: 'experiments' },
        key: `experiments/search ${JSON.stringify(canonical)}`,
        dependsOn: [dependency.backend, dependency.experiments],
        fetch: (signal) => ask(canonical, signal),
      };
    } catch (error) {
      if (error instanceof FilterSyntaxError) return { handOn: error.message };
      throw error;
    }
  };
