import { parentPort, workerData } from 'node:worker_threads';
import { GatewayError } from '../../src/errors/gateway-error.ts';
import type { PageRequest } from '../../src/plan/adapter.ts';
import { openForReading, openForWriting } from './database.ts';
import { INDEX_FILE } from './index-file.ts';
import { IndexWriter } from './index-writer.ts';
import { type RunSearchTask, searchRuns } from './search-runs.ts';
import { Statements } from './statements.ts';
import { createStore } from './store/create-store.ts';
import { STORE_FILE } from './store-file.ts';
import type { Call, Reply, Role, WorkerOptions } from './worker-protocol.ts';

type Functions = Readonly<Record<string, (...args: never[]) => unknown>>;

/** What a worker of each role can be asked for. */
const ROLES: Record<Role, (path: string) => Functions> = {
  reader(path) {
    const statements = new Statements(openForReading(path));
    return { search: (task: RunSearchTask, page: PageRequest) => searchRuns(statements, task, page) };
  },
  'index-writer'(path) {
    const writer = new IndexWriter(openForWriting(path, INDEX_FILE));
    return {
      nextVersion: () => writer.nextVersion(),
      beginEpoch: () => writer.beginEpoch(),
      epoch: () => writer.epoch(),
      write: (texts: readonly string[], version: number) => writer.write(texts, version),
      remove: (runIds: readonly string[], version: number) => writer.remove(runIds, version),
      recordCoverage: (...args: Parameters<IndexWriter['recordCoverage']>) => writer.recordCoverage(...args),
      coverage: (...args: Parameters<IndexWriter['coverage']>) => writer.coverage(...args),
      note: () => writer.note(),
      replaceNote: (...args: Parameters<IndexWriter['replaceNote']>) => writer.replaceNote(...args),
    };
  },
  store: (path) => ({ ...createStore(openForWriting(path, STORE_FILE)) }),
};

const { path, role } = workerData as WorkerOptions;
let functions: Functions | undefined;

function answer({ id, name, args }: Call): Reply {
  try {
    // Not at start: whoever asks first is told why the file cannot be opened.
    functions ??= ROLES[role](path);
    return { id, value: functions[name]?.(...(args as never[])) };
  } catch (error) {
    if (error instanceof GatewayError) return { id, error: { code: error.code, message: error.message } };
    return { id, error: { code: 'INTERNAL_ERROR', message: `SQLite failed: ${error}` } };
  }
}

parentPort?.on('message', (call: Call) => parentPort?.postMessage(answer(call)));
