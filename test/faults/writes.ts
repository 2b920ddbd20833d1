import type { Run } from '../../src/domain/run.ts';
import type { Random } from '../fuzz/random.ts';

/** A write to a run and the state it leaves. */
export interface RunWrite {
  readonly path: string;
  readonly body: object;
  readonly next: Run;
}

/** `n` is larger at every write to a run, and is what the write leaves behind. */
type MakeWrite = (run: Run, n: number, random: Random) => RunWrite;

export const COLORS = ['red', 'green', 'blue'];
export const RATES = ['0.1', '0.01', '0.001'];
export const DATASETS = ['train', 'eval'];
export const STATUSES = ['FINISHED', 'FAILED', 'KILLED', 'RUNNING'];

const metric = (key: string, value: number, n: number) => ({ key, value, timestamp: n, step: n });

const logBatch: MakeWrite = (run, n, random) => {
  const loss = random.int(0, 9) / 10;
  const params = { [`p${n}`]: `${n}`, ...(!run.params.has('lr') && { lr: random.pick(RATES) }) };
  const tags = { v: `${n}`, color: random.pick(COLORS) };
  return {
    path: 'runs/log-batch',
    body: {
      run_id: run.runId,
      metrics: [metric('v', n, n), metric('loss', loss, n)],
      params: Object.entries(params).map(([key, value]) => ({ key, value })),
      tags: Object.entries(tags).map(([key, value]) => ({ key, value })),
    },
    next: {
      ...run,
      metrics: new Map([...run.metrics, ['v', n], ['loss', loss]]),
      params: new Map([...run.params, ...Object.entries(params)]),
      tags: new Map([...run.tags, ...Object.entries(tags)]),
    },
  };
};

const logMetric: MakeWrite = (run, n) => ({
  path: 'runs/log-metric',
  body: { run_id: run.runId, ...metric('v', n, n) },
  next: { ...run, metrics: new Map([...run.metrics, ['v', n]]) },
});

const logParameter: MakeWrite = (run, n) => ({
  path: 'runs/log-parameter',
  body: { run_id: run.runId, key: `p${n}`, value: `${n}` },
  next: { ...run, params: new Map([...run.params, [`p${n}`, `${n}`]]) },
});

const setTag: MakeWrite = (run, n) => ({
  path: 'runs/set-tag',
  body: { run_id: run.runId, key: 'v', value: `${n}` },
  next: { ...run, tags: new Map([...run.tags, ['v', `${n}`]]) },
});

const deleteTag: MakeWrite = (run, n, random) => {
  if (!run.tags.has('color')) return setTag(run, n, random);
  const tags = new Map(run.tags);
  tags.delete('color');
  return { path: 'runs/delete-tag', body: { run_id: run.runId, key: 'color' }, next: { ...run, tags } };
};

const end: MakeWrite = (run, n, random) => {
  const [status, endTime] = [random.pick(STATUSES), run.startTime + BigInt(n)];
  return {
    path: 'runs/update',
    body: { run_id: run.runId, status, end_time: Number(endTime) },
    next: { ...run, status, endTime },
  };
};

const rename: MakeWrite = (run, n) => {
  const runName = `name-${n}`;
  return {
    path: 'runs/update',
    body: { run_id: run.runId, run_name: runName },
    next: { ...run, runName, tags: new Map([...run.tags, ['mlflow.runName', runName]]) },
  };
};

const logInputs: MakeWrite = (run, n, random) => {
  // Two runs that bring the same dataset at once can fail in MLflow.
  const dataset = { name: random.pick(DATASETS), digest: `${run.runId.slice(0, 12)}-${n}` };
  const tags = [{ key: 'mlflow.data.context', value: 'c' }];
  return {
    path: 'runs/log-inputs',
    body: { run_id: run.runId, datasets: [{ tags, dataset: { ...dataset, source_type: 'local', source: 's' } }] },
    next: { ...run, datasets: [...run.datasets, { ...dataset, context: 'c' }] },
  };
};

const remove: MakeWrite = (run) => ({
  path: 'runs/delete',
  body: { run_id: run.runId },
  next: { ...run, lifecycleStage: 'deleted' },
});

const restore: MakeWrite = (run) => ({
  path: 'runs/restore',
  body: { run_id: run.runId },
  next: { ...run, lifecycleStage: 'active' },
});

const BY_SHARE: readonly (readonly [share: number, make: MakeWrite])[] = [
  [40, logBatch],
  [6, logMetric],
  [4, logParameter],
  [15, setTag],
  [6, deleteTag],
  [10, end],
  [5, rename],
  [6, logInputs],
  [8, remove],
];
const CHOICES = BY_SHARE.flatMap(([share, make]) => Array<MakeWrite>(share).fill(make));

/** Any write that MLflow takes for a run in this state: of a deleted one only its restoration. */
export const makeWrite: MakeWrite = (run, n, random) =>
  (run.lifecycleStage === 'deleted' ? restore : random.pick(CHOICES))(run, n, random);

/** The creation of a run; its id is still to come. */
export function makeCreation(who: string, experimentId: string, random: Random): RunWrite {
  const startTime = 1_700_000_000_000 + random.int(0, 50) * 1_000;
  const tags = { who, v: '0' };
  return {
    path: 'runs/create',
    body: {
      experiment_id: experimentId,
      user_id: 'someone',
      run_name: who,
      start_time: startTime,
      tags: Object.entries(tags).map(([key, value]) => ({ key, value })),
    },
    next: {
      runId: '',
      experimentId,
      runName: who,
      userId: 'someone',
      status: 'RUNNING',
      artifactUri: undefined,
      lifecycleStage: 'active',
      startTime: BigInt(startTime),
      endTime: undefined,
      metrics: new Map(),
      params: new Map(),
      tags: new Map([...Object.entries(tags), ['mlflow.runName', who]]),
      datasets: [],
    },
  };
}
