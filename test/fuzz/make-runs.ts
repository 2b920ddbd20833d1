import type { Random } from './random.ts';

/** A run as it is sent to a server, metric values in MLflow's own spelling. */
export interface RunPlan {
  readonly experiment: number;
  readonly name: string;
  readonly userId: string;
  readonly startTime: string;
  readonly endTime: string | undefined;
  readonly status: string;
  /** Given to `runs/create`, which validates neither keys nor values. */
  readonly createTags: readonly { key: string; value: string }[];
  readonly metrics: readonly { key: string; value: number | string; step: number; timestamp: number }[];
  readonly params: readonly { key: string; value: string }[];
  readonly tags: readonly { key: string; value: string }[];
  readonly datasets: readonly { name: string; digest: string; context: string | undefined }[];
  readonly loseName: boolean;
  readonly deleted: boolean;
}

export const METRIC_KEYS = [
  'acc',
  'loss',
  'val/acc',
  'm space',
  ' sp',
  'm.dot',
  'm-dash',
  '1x',
  '123',
  'in',
  'a:b',
  'ünï',
  'ACC',
];
export const PARAM_KEYS = [
  'lr',
  'LR',
  'model',
  'opt.name',
  'p space',
  '_x',
  '1x',
  '123',
  'in',
  '日本',
  'a:b',
  'order',
  'a/b',
];
export const TAG_KEYS = ['team', 'a.b', 'with space', 'note', 'mlflow.user', 'ümlaut', 'type'];
/** Keys that only `runs/create` lets through. */
export const WILD_TAG_KEYS = ["it's", 'say "x"', 'back`tick', '100%', 'a*b?', 'back\\slash', '', 'a,b', '[x]', '😀'];

export const METRIC_VALUES = [
  0,
  1,
  -1,
  0.5,
  0.5,
  0.1,
  -1.5,
  1e20,
  1e-7,
  9007199254740992,
  'NaN',
  'Infinity',
  '-Infinity',
  1e308,
];
export const TEXTS = [
  '',
  ' ',
  '0.1',
  '0.01',
  '10',
  '9',
  '100',
  'adam',
  'Adam',
  'ADAM',
  ' adam',
  'adam ',
  "it's",
  "it''s",
  'say "hi"',
  `both ' and "`,
  '50%',
  '50\\%',
  'a_b',
  'axb',
  'a*b',
  'a?b',
  'back\\slash',
  'x\\',
  'über',
  'Über',
  'ÜBER',
  'straße',
  'STRASSE',
  'K',
  'K',
  'İ',
  '日本',
  '😀',
  '\uffff',
  'line1\nline2',
  'tab\t',
  'None',
  'NULL',
  'a;b',
  'a--b',
  '(x)',
  'true',
  'é',
  'é',
];
export const DATASETS = [
  ['ds1', 'd1'],
  ['ds1', 'd2'],
  ['DS1', 'd1'],
  ['ds2', 'd2'],
  ["d's", 'd3'],
  ['über', 'd4'],
  ['d%', 'd_'],
] as const;
export const CONTEXTS = ['train', 'eval', 'Train', 'te st', ''];
export const STATUSES = ['RUNNING', 'SCHEDULED', 'FINISHED', 'FINISHED', 'FAILED', 'KILLED'];
export const USERS = ['alice', 'bob', '', "O'Brien", 'Alice', 'ünal'];
export const NAMES = ['run', 'Run', 'r_1', 'r%', "it's", 'name with space', 'ÄÖ', 'zeta', ''];
export const START_TIMES = ['0', '1000', '1000', '1000', '2000', '3000', '3001', '1700000000000', '9007199254740993'];

const pairs = (random: Random, keys: readonly string[], most: number) =>
  random.some(keys, random.int(0, most)).map((key) => ({ key, value: random.pick(TEXTS) }));

function makeMetrics(random: Random): RunPlan['metrics'] {
  return random.some(METRIC_KEYS, random.int(0, 8)).flatMap((key) =>
    Array.from({ length: random.chance(0.2) ? 3 : 1 }, () => ({
      key,
      value: random.pick(METRIC_VALUES),
      step: random.int(0, 2),
      timestamp: random.int(1, 3),
    })),
  );
}

function makeRun(random: Random, experiments: number): RunPlan {
  const ended = random.chance(0.7);
  return {
    experiment: random.int(0, experiments - 1),
    name: random.pick(NAMES),
    userId: random.pick(USERS),
    startTime: random.pick(START_TIMES),
    endTime: ended ? random.pick(['1', '2000', '5000', '5000', '9007199254740993']) : undefined,
    status: random.pick(STATUSES),
    createTags: pairs(random, WILD_TAG_KEYS, 3),
    metrics: makeMetrics(random),
    params: pairs(random, PARAM_KEYS, 8),
    tags: pairs(random, TAG_KEYS, 5),
    datasets: random.some(DATASETS, random.chance(0.5) ? 0 : random.int(1, 3)).map(([name, digest]) => ({
      name,
      digest,
      context: random.chance(0.7) ? random.pick(CONTEXTS) : undefined,
    })),
    loseName: random.chance(0.1),
    deleted: random.chance(0.15),
  };
}

/** Runs with ties in every sort key, missing keys, and texts that trip quoting, escaping and folding. */
export const makeRuns = (random: Random, count: number, experiments: number): RunPlan[] =>
  Array.from({ length: count }, () => makeRun(random, experiments));
