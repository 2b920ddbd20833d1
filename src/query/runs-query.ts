import type { Filter } from './ast.ts';
import { totalOrder } from './order.ts';
import type { RunQuery } from './run-query.ts';

const RUN_ID = { entity: 'attribute', key: 'run_id' } as const;
const START_TIME = { entity: 'attribute', key: 'start_time' } as const;

/**
 * All runs of experiments, deleted ones too, newest first: what every database orders alike, so that any dialect will do. A
 * filter has to be over attributes alone, which mean the same everywhere.
 */
export const allRuns = (experimentIds: readonly string[], filter?: Filter): RunQuery => ({
  experimentIds,
  view: 'all',
  filter,
  order: totalOrder([]),
  dialect: 'sqlite',
});

/** Those of the runs that are there. */
export const theseRuns = (experimentIds: readonly string[], runIds: readonly string[]): RunQuery =>
  allRuns(experimentIds, { kind: 'member', field: RUN_ID, values: runIds, negated: false });

/** Runs whose id begins so. */
export const runsFrom = (experimentId: string, prefix: string): RunQuery =>
  allRuns([experimentId], { kind: 'match', field: RUN_ID, pattern: `${prefix}%`, ignoreCase: false });

/** Runs that began then or before. */
export const runsUntil = (experimentIds: readonly string[], startTime: bigint): RunQuery =>
  allRuns(experimentIds, { kind: 'compare', field: START_TIME, op: '<=', value: startTime });
