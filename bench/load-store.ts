import { openForWriting } from '../adapters/sqlite/database.ts';
import { createStore } from '../adapters/sqlite/store/create-store.ts';
import { STORE_FILE } from '../adapters/sqlite/store-file.ts';
import type { RunStatus, TrackingStore } from '../src/plan/tracking-store.ts';

interface MadeRun {
  readonly info: {
    readonly experiment_id: string;
    readonly run_name: string;
    readonly user_id: string;
    readonly status: RunStatus;
    readonly start_time: number;
    readonly end_time?: number;
    readonly lifecycle_stage: string;
  };
  readonly data: {
    readonly metrics: readonly { key: string; value: number | 'NaN'; timestamp: number; step: number }[];
    readonly params: readonly { key: string; value: string }[];
    readonly tags: readonly { key: string; value: string }[];
  };
  readonly inputs: {
    readonly dataset_inputs?: readonly {
      readonly tags: readonly { key: string; value: string }[];
      readonly dataset: { name: string; digest: string; source_type: string; source: string };
    }[];
  };
}

/**
 * Makes the file of a gateway's store that has these experiments and runs, by the operations that requests come to. The
 * runs get ids of their own. A transaction does not wait for the disk.
 * @throws Error when the experiments get other ids.
 */
export function loadStore(file: string, experimentIds: readonly string[], runs: Iterable<string>): void {
  const database = openForWriting(file, STORE_FILE);
  try {
    database.exec('PRAGMA synchronous = OFF');
    const store = createStore(database);
    const ids = experimentIds.map((id) =>
      store.createExperiment({ name: `bench-${id}`, artifactLocation: '', tags: [] }),
    );
    if (ids.join() !== experimentIds.join()) throw new Error(`Experiments ${experimentIds} are ${ids} in the store.`);
    for (const run of runs) addRun(store, JSON.parse(run) as MadeRun);
  } finally {
    database.close();
  }
}

function addRun(store: TrackingStore, { info, data, inputs }: MadeRun): void {
  const created = store.createRun({
    experimentId: info.experiment_id,
    userId: info.user_id,
    runName: info.run_name,
    startTime: BigInt(info.start_time),
    tags: data.tags,
  });
  const { run_id: runId } = (JSON.parse(created) as { info: { run_id: string } }).info;
  const metrics = data.metrics.map(({ key, value, timestamp, step }) => ({
    key,
    value: Number(value),
    timestamp: BigInt(timestamp),
    step: BigInt(step),
  }));
  store.logBatch({ runId, metrics, params: data.params, tags: [] });
  const datasets = (inputs.dataset_inputs ?? []).map(({ tags, dataset: { name, digest, source_type, source } }) => ({
    ...{ tags, name, digest, source, sourceType: source_type },
    ...{ schema: undefined, profile: undefined },
  }));
  if (datasets.length > 0) store.logInputs({ runId, datasets, modelIds: [] });
  const endTime = info.end_time === undefined ? undefined : BigInt(info.end_time);
  store.updateRun({ runId, status: info.status, endTime, runName: undefined });
  if (info.lifecycle_stage === 'deleted') store.deleteRun({ runId });
}
