import type { DatasetSummary, TrackingStore } from '../../../src/plan/tracking-store.ts';
import { sql } from '../sql.ts';
import type { Statements } from '../statements.ts';
import { storedExperimentId } from './stored-experiment-id.ts';

const MAX_SUMMARIES = 1_000;

interface SummaryRow {
  readonly experiment_id: string;
  readonly name: string;
  readonly digest: string;
  readonly context: string | null;
}

export const datasets = (statements: Statements): Pick<TrackingStore, 'searchDatasets'> => ({
  searchDatasets({ experimentIds }) {
    const ids = [...new Set(experimentIds.map((id) => String(storedExperimentId(id))))];
    return statements
      .all<SummaryRow>(sql`
        SELECT DISTINCT experiment_id, datasets.name, digest, context FROM datasets JOIN runs ON runs.id = run
        WHERE experiment_id IN (SELECT value FROM json_each(${JSON.stringify(ids)})) LIMIT ${MAX_SUMMARIES}`)
      .map(toSummary);
  },
});

const toSummary = ({ experiment_id, name, digest, context }: SummaryRow): DatasetSummary => ({
  experimentId: experiment_id,
  name,
  digest,
  context: context || undefined,
});
