import type { RunAdapter } from '../../src/plan/adapter.ts';
import type { TrackingOperation, TrackingStore } from '../../src/plan/tracking-store.ts';
import { RunSource } from './run-source.ts';
import { WorkerThread } from './worker-thread.ts';

/** A tracking store in a SQLite file: its operations, in a thread of their own, and searches over its runs. */
export interface SqliteStore {
  readonly runs: RunAdapter;
  /** Opens or makes the file. @throws GatewayError when it is damaged, of another kind, or of a newer version. */
  prepare(): Promise<void>;
  /** @throws GatewayError as the operation does. */
  call<Operation extends TrackingOperation>(
    operation: Operation,
    argument?: Parameters<TrackingStore[Operation]>[0],
  ): Promise<ReturnType<TrackingStore[Operation]>>;
  close(): Promise<void>;
}

export function createSqliteStore({ file }: { readonly file: string }): SqliteStore {
  const writer = new WorkerThread({ path: file, role: 'store' });
  const source = new RunSource(file);
  return {
    runs: { name: 'sqlite', pushDown: (query) => source.pushDown(query), close: () => source.close() },
    prepare: async () => void (await writer.call('listExperiments')),
    call: (operation, argument) => writer.call(operation, argument),
    async close() {
      await Promise.all([source.close(), writer.close()]);
    },
  };
}
