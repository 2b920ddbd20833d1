import type { DatabaseSync } from 'node:sqlite';
import type { TrackingStore } from '../../../src/plan/tracking-store.ts';
import { transact } from '../database.ts';
import { Statements } from '../statements.ts';
import { batches } from './batches.ts';
import { datasets } from './datasets.ts';
import { experiments } from './experiments.ts';
import { inputs } from './inputs.ts';
import { metricHistory } from './metric-history.ts';
import { metrics } from './metrics.ts';
import { params } from './params.ts';
import { runs } from './runs.ts';
import { tags } from './tags.ts';

/**
 * The tracking store over a database that has RUN_TABLES and STORE_TABLES. Synchronous: it blocks its thread, so it
 * belongs into one of its own. Operations that only read take no write lock.
 */
export function createStore(database: DatabaseSync): TrackingStore {
  const statements = new Statements(database);
  const writes = {
    ...experiments(statements),
    ...runs(statements),
    ...metrics(statements),
    ...params(statements),
    ...tags(statements),
    ...batches(statements),
    ...inputs(statements),
  };
  const { getExperiment, getExperimentByName, listExperiments, getRun, ...changes } = writes;
  return {
    ...inTransactions(database, changes),
    getExperiment,
    getExperimentByName,
    listExperiments,
    getRun,
    ...metricHistory(statements),
    ...datasets(statements),
  };
}

type Operation = (argument: never) => unknown;

function inTransactions<Operations extends Record<string, Operation>>(
  database: DatabaseSync,
  operations: Operations,
): Operations {
  const wrapped = Object.entries<Operation>(operations).map(([name, operation]) => [
    name,
    (argument: never) => transact(database, () => operation(argument)),
  ]);
  return Object.fromEntries(wrapped) as Operations;
}
