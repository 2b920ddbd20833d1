import { unlessCancelled } from '../../src/faults/unless-cancelled.ts';
import type { PageRequest, RunPage, Scan } from '../../src/plan/adapter.ts';
import type { RunQuery } from '../../src/query/run-query.ts';
import { compileOrder } from './order.ts';
import { isOrdered, splitFilter } from './push-down.ts';
import { printStep, type RunSearchTask } from './search-runs.ts';
import { sql } from './sql.ts';
import { WorkerThread } from './worker-thread.ts';

/** Reads run side by side, as many as a small machine has processors. */
const READERS = 2;

/** Searches over the runs of a database file. Opened when first asked. */
export class RunSource {
  readonly #readers: readonly WorkerThread[];

  constructor(path: string) {
    this.#readers = Array.from({ length: READERS }, () => new WorkerThread({ path, role: 'reader' }));
  }

  pushDown({ filter, experimentIds, view, order, dialect }: RunQuery): Scan {
    const { pushed, residual } = splitFilter(filter, dialect);
    const task: RunSearchTask = { experimentIds, view, filters: pushed, order, dialect };
    return {
      residual,
      orderedBy: order.every((key) => isOrdered(key, dialect)) ? order.length : 0,
      resumable: true,
      describe: () =>
        printStep(task, { from: sql`runs AS r`, conditions: [], order: compileOrder(order), after: undefined }, 1),
      fetch: (page, signal) => this.#fetch(task, page, signal),
    };
  }

  /** SQLite cannot be stopped: a caller that hangs up is let go, and its search ends by itself. */
  #fetch(task: RunSearchTask, page: PageRequest, signal: AbortSignal): Promise<RunPage> {
    const reader = this.#readers.reduce((a, b) => (b.load < a.load ? b : a));
    return unlessCancelled(reader.call<RunPage>('search', task, page), signal);
  }

  async close(): Promise<void> {
    await Promise.all(this.#readers.map((reader) => reader.close()));
  }
}
