import { Random } from '../test/fuzz/random.ts';

const MODELS = ['resnet50', 'resnet101', 'vit-base', 'bert-base', 'GPT-2', 'xgboost', 'lightgbm', 'CNN'];
const USERS = Array.from({ length: 40 }, (_, i) => `u${String(i).padStart(2, '0')}`);
const TEAMS = ['vision', 'nlp', 'ads', 'search'];
const NAMES = ['alpha', 'beta', 'gamma', 'delta'];
const STATUSES = [
  ...Array<string>(14).fill('FINISHED'),
  ...Array<string>(3).fill('FAILED'),
  ...['RUNNING', 'KILLED', 'SCHEDULED'],
];
const ENDED = new Set(['FINISHED', 'FAILED', 'KILLED']);
/** When the first run started; one starts every second. */
export const FIRST_START_MS = 1_700_000_000_000;

const normal = (random: Random, deviation: number) =>
  deviation * Math.sqrt(-2 * Math.log(1 - random.next())) * Math.cos(2 * Math.PI * random.next());
const exponential = (random: Random) => -Math.log(1 - random.next());
const hex32 = (random: Random) =>
  Array.from({ length: 4 }, () => Math.floor(random.next() * 2 ** 32).toString(16)).map((part) =>
    part.padStart(8, '0'),
  );

const toPairs = <V>(values: Readonly<Record<string, V>>) =>
  Object.entries(values).map(([key, value]) => ({ key, value }));

function makeMetrics(random: Random): Record<string, number | 'NaN'> {
  const metrics: Record<string, number | 'NaN'> = {
    accuracy: random.next(),
    loss: random.chance(0.01) ? 'NaN' : exponential(random),
    'f1 score': random.next(),
    'val/loss': exponential(random),
  };
  for (let i = 0; i < 6; i++) if (random.chance(0.8)) metrics[`metric_${i}`] = normal(random, 10);
  return metrics;
}

const makeParams = (random: Random, i: number): Record<string, string> => ({
  model: random.pick(MODELS),
  lr: random.pick(['0.1', '0.01', '0.001', '0.0003']),
  layers: String(random.int(2, 19)),
  batch_size: String(2 ** random.int(3, 9)),
  optimizer: random.pick(['adam', 'sgd', 'adamw']),
  seed: String(i),
  ...(random.chance(0.5) && { scheduler: random.pick(['cosine', 'linear']) }),
});

const makeTags = (random: Random, user: string, name: string): Record<string, string> => ({
  'mlflow.user': user,
  'mlflow.source.name': `train_${random.int(0, 29)}.py`,
  'mlflow.source.type': 'LOCAL',
  'mlflow.runName': name,
  team: random.pick(TEAMS),
  stage: random.pick(['dev', 'dev', 'dev', 'prod']),
});

function makeInputs(random: Random) {
  if (!random.chance(0.3)) return {};
  const number = random.int(0, 49);
  const dataset = {
    name: `dataset_${number}`,
    digest: number.toString(16).padStart(8, '0'),
    source_type: 'local',
    source: '{}',
  };
  return {
    dataset_inputs: [{ tags: [{ key: 'mlflow.data.context', value: random.pick(['train', 'eval']) }], dataset }],
  };
}

function makeRun(random: Random, i: number, experimentId: string) {
  const runId = hex32(random).join('');
  const user = random.pick(USERS);
  const name = `run-${random.pick(NAMES)}-${i}`;
  const status = random.pick(STATUSES);
  const startMs = FIRST_START_MS + i * 1000 + random.int(0, 999);
  const metrics = toPairs(makeMetrics(random)).map((metric) => ({ ...metric, timestamp: startMs, step: 0 }));
  return {
    info: {
      run_uuid: runId,
      experiment_id: experimentId,
      run_name: name,
      user_id: user,
      status,
      start_time: startMs,
      ...(ENDED.has(status) && { end_time: startMs + random.int(1_000, 10_000_000) }),
      artifact_uri: `mlflow-artifacts:/${experimentId}/${runId}/artifacts`,
      lifecycle_stage: random.chance(0.02) ? 'deleted' : 'active',
      run_id: runId,
    },
    data: { metrics, params: toPairs(makeParams(random, i)), tags: toPairs(makeTags(random, user, name)) },
    inputs: makeInputs(random),
    outputs: {},
  };
}

/**
 * Runs of the kind tracking servers hold, as MLflow's `runs/search` writes them: some 25 keys, params that repeat, metrics
 * with NaN and gaps, some datasets, some deleted. The same seed gives the same runs; experiments take turns.
 */
export function* makeRuns(count: number, experimentIds: readonly string[], seed = 7): Generator<string> {
  const random = new Random(seed);
  for (let i = 0; i < count; i++) {
    const experimentId = experimentIds[i % experimentIds.length];
    if (experimentId === undefined) throw new RangeError('Runs need an experiment.');
    yield JSON.stringify(makeRun(random, i, experimentId));
  }
}
