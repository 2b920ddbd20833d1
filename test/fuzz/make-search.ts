import {
  CONTEXTS,
  DATASETS,
  METRIC_KEYS,
  METRIC_VALUES,
  NAMES,
  PARAM_KEYS,
  START_TIMES,
  STATUSES,
  TAG_KEYS,
  TEXTS,
  USERS,
  WILD_TAG_KEYS,
} from './make-runs.ts';
import type { Random } from './random.ts';

/** The body of a `runs/search`, and how many pages to follow. */
export interface SearchPlan {
  readonly body: Record<string, unknown>;
  readonly pages: number;
}

/** What searches may name: filled with the ids of the loaded runs and experiments. */
export interface Known {
  readonly experimentIds: readonly string[];
  readonly runIds: readonly string[];
}

const anyCase = (random: Random, word: string) =>
  random.pick([word, word, word.toLowerCase(), word.charAt(0) + word.slice(1).toLowerCase()]);
const blank = (random: Random) => random.pick([' ', ' ', ' ', '  ', '\n', '\t']);

function spellKey(random: Random, key: string): string {
  const bare = /^[A-Za-z_][\w.]*$/.test(key) && !/\.(\d|$)/.test(key);
  const forms = [
    `\`${key}\``,
    `"${key}"`,
    `'${key}'`,
    ...(bare ? [key, key, key] : []),
    ...(random.chance(0.05) ? [key] : []),
  ];
  return random.pick(forms);
}

const spellText = (random: Random, text: string) => {
  const quote =
    text.includes("'") && random.chance(0.9) ? '"' : text.includes('"') ? "'" : random.pick(["'", "'", '"']);
  return quote + text + quote;
};

function pattern(random: Random, text: string): string {
  const characters = [...text];
  const at = random.int(0, characters.length);
  const choices = [
    text,
    `%${text}`,
    `${text}%`,
    `%${text}%`,
    '%',
    `${characters.slice(0, at).join('')}%`,
    `%${characters.slice(at).join('')}`,
    characters.map((character, i) => (i === at ? '_' : character)).join(''),
    text.toUpperCase(),
    text.toLowerCase(),
    '',
  ];
  return random.pick(choices);
}

const metricLiteral = (random: Random) => {
  const value = random.pick(METRIC_VALUES);
  const plain = typeof value === 'number' ? String(value).replace('e+', 'e') : '0';
  return random.pick([
    plain,
    plain,
    '0',
    '1.0',
    '.5',
    '0.',
    '00.5',
    '5E-1',
    '1e20',
    '1e400',
    '-1e400',
    '1.7976931348623157e308',
    '-1',
  ]);
};

const timeLiteral = (random: Random) =>
  random.pick([...START_TIMES, '2000.5', '3e3', '-1', '5000', '1', '9007199254740992', '9223372036854775807', '0']);

const compareNumber = (random: Random) => random.pick(['>', '>=', '<', '<=', '=', '!=']);

/** `op value` for a text field. */
function textTest(random: Random, values: readonly string[]): string {
  const value = random.pick(values);
  if (random.chance(0.5)) return `${random.pick(['=', '!=', ' = ', ' != '])}${spellText(random, value)}`;
  return ` ${anyCase(random, random.pick(['LIKE', 'ILIKE']))}${blank(random)}${spellText(random, pattern(random, value))}`;
}

function list(random: Random, values: readonly string[]): string {
  const texts = random.some(values, random.int(1, 3)).map((value) => spellText(random, value));
  return `(${texts.join(random.pick([', ', ',', ' , ']))}${random.chance(0.1) ? ',' : ''})`;
}

const memberTest = (random: Random, values: readonly string[]) =>
  ` ${anyCase(random, random.pick(['IN', 'NOT IN']))}${random.pick([' ', ''])}${list(random, values)}`;

const prefix = (random: Random) => random.pick(['', '', '', 'attribute.', 'attributes.', 'attr.', 'run.']);

function clause(random: Random, known: Known): string {
  switch (random.int(0, 9)) {
    case 0:
    case 1:
    case 2: {
      const key = spellKey(random, random.pick(METRIC_KEYS));
      return `${random.pick(['metric', 'metrics'])}.${key}${random.pick(['', ' '])}${compareNumber(random)}${random.pick(['', ' '])}${metricLiteral(random)}`;
    }
    case 3:
    case 4: {
      const key = spellKey(random, random.pick(PARAM_KEYS));
      const test = random.chance(0.25)
        ? ` ${anyCase(random, random.pick(['IS NULL', 'IS NOT NULL']))}`
        : textTest(random, TEXTS);
      return `${random.pick(['params', 'param', 'parameter', 'parameters'])}.${key}${test}`;
    }
    case 5:
    case 6: {
      const key = spellKey(random, random.pick([...TAG_KEYS, ...WILD_TAG_KEYS, 'mlflow.runName']));
      const test = random.chance(0.25)
        ? ` ${anyCase(random, random.pick(['IS NULL', 'IS NOT NULL']))}`
        : textTest(random, TEXTS);
      return `${random.pick(['tags', 'tag'])}.${key}${test}`;
    }
    case 7: {
      const key = random.pick(['name', 'digest', 'context']);
      const values = key === 'context' ? CONTEXTS : DATASETS.map(([name, digest]) => (key === 'name' ? name : digest));
      const test = random.chance(0.4) ? memberTest(random, values) : textTest(random, values);
      return `${random.pick(['dataset', 'datasets'])}.${key}${test}`;
    }
    case 8: {
      const key = random.pick(['start_time', 'start_time', 'end_time', 'created', 'Created']);
      return `${prefix(random)}${key} ${compareNumber(random)} ${timeLiteral(random)}`;
    }
    default:
      return attributeClause(random, known);
  }
}

function attributeClause(random: Random, { runIds }: Known): string {
  const [key, values] = random.pick<[string, readonly string[]]>([
    ['status', [...STATUSES, 'BOGUS', 'finished']],
    ['user_id', USERS],
    ['run_name', NAMES],
    ['`run name`', NAMES],
    ['"Run Name"', NAMES],
    ['artifact_uri', ['%artifacts', 'x']],
    ['run_id', runIds],
  ]);
  if (key === 'run_id' && random.chance(0.6)) return `${prefix(random)}run_id${memberTest(random, values)}`;
  return `${key.startsWith('r') ? prefix(random) : ''}${key}${textTest(random, values)}`;
}

const INVALID = [
  'foo',
  "foo.bar = 'x'",
  'Metrics.acc > 1',
  "metrics.acc > '1'",
  'params.lr = 5',
  "params.lr > '5'",
  'status IS NULL',
  "status IN ('a')",
  'metrics.acc IS NULL',
  'params.lr IS NOT  NULL',
  '(metrics.acc > 0)',
  'NOT status = "x"',
  'metrics.acc BETWEEN 0 AND 1',
  'run_id IN ()',
  'run_id IN (5)',
  'run_id IN (abc)',
  "dataset.source = 'x'",
  'metrics.acc == 1',
  'metrics.acc > 0x1',
  'metrics.acc > 1e+5',
  '0 < metrics.acc',
  "params.in = 'x'",
  "params.lr = '0.1",
  'params.lr = 0.1.2',
  "params.lr == '1'",
  "tags.x RLIKE 'a'",
  "start_time > '1'",
  'start_time > 99999999999999999999',
  'end_time > abc',
  "params.a.`b` = 'x'",
  'metrics. acc > 0',
  'metrics.acc > 1;',
  '-- x',
  'metrics.acc > 1 # c',
  "params.lr NOT LIKE 'x'",
  ' ',
  'AND AND',
  "status = 'a' OR status = 'b'",
  "status = 'a', status = 'b'",
  'metrics.acc > 1 > 2',
  'metrics.acc > inf',
  'metrics.acc > NaN',
  "params.`a`.`b` = 'x'",
] as const;

function mutate(random: Random, text: string): string {
  const at = random.int(0, text.length);
  const junk = random.pick([
    "'",
    '"',
    '`',
    ' ',
    '.',
    '(',
    ')',
    ',',
    ';',
    '=',
    '>',
    '%',
    '\\',
    'x',
    '1',
    ' AND ',
    ' OR ',
    '--',
    '*',
    '?',
    '$',
    '\u00a0',
  ]);
  return random.pick([
    text.slice(0, at) + text.slice(at + 1),
    text.slice(0, at) + junk + text.slice(at),
    text.slice(0, at) + junk + text.slice(at + 1),
    text.slice(0, at),
  ]);
}

const conjunction = (random: Random) =>
  random.pick([
    ' AND ',
    ' AND ',
    ' AND ',
    ' and ',
    '\nAnd\t',
    '  AND  ',
    ...(random.chance(0.2) ? [' ', ' AND AND '] : []),
  ]);

function makeFilter(random: Random, known: Known): string {
  const clauses = Array.from({ length: random.pick([0, 1, 1, 1, 2, 2, 3, 4]) }, () => clause(random, known));
  if (random.chance(0.06)) clauses.push(random.pick(INVALID));
  let text = clauses.reduce((all, next) => (all ? all + conjunction(random) + next : next), '');
  if (random.chance(0.05)) text = random.pick([`AND ${text}`, `${text} AND`, `  ${text} `, `${text}\n`]);
  return text && random.chance(0.06) ? mutate(random, text) : text;
}

function orderClause(random: Random): string {
  const direction = random.pick(['', '', ' ASC', ' DESC', ' DESC', ' asc', '  desc', '\tDESC']);
  const attribute = () =>
    prefix(random) +
    random.pick([
      'start_time',
      'end_time',
      'status',
      'user_id',
      'run_name',
      'run_id',
      'artifact_uri',
      'created',
      'Created',
    ]);
  const keyed = () => {
    const [entity, keys] = random.pick<[string, readonly string[]]>([
      ['metrics', METRIC_KEYS],
      ['metric', METRIC_KEYS],
      ['params', PARAM_KEYS],
      ['parameter', PARAM_KEYS],
      ['tags', [...TAG_KEYS, ...WILD_TAG_KEYS]],
    ]);
    return `${entity}.${spellKey(random, random.pick(keys))}`;
  };
  const clauseText = (random.chance(0.45) ? attribute() : keyed()) + direction;
  if (random.chance(0.03)) return mutate(random, clauseText);
  return random.chance(0.02)
    ? random.pick([
        'dataset.name',
        'foo',
        '',
        ' start_time',
        'metrics.acc foo',
        'DESC',
        '`metrics.acc` DESC',
        '"start_time"',
      ])
    : clauseText;
}

const makeOrder = (random: Random) =>
  Array.from({ length: random.pick([0, 0, 1, 1, 2, 3]) }, () => orderClause(random));

function makeExperimentIds(random: Random, { experimentIds }: Known): unknown {
  const ids: unknown[] = random.some(experimentIds, random.pick([1, 2, 2, experimentIds.length]));
  if (random.chance(0.015))
    ids.push(random.pick<unknown>(['987654', 'abc', ' 1 ', 1, '', '99999999999999999999', '01', null]));
  return random.chance(0.01) ? random.pick<unknown>([[], '1', null, {}]) : ids;
}

const BAD_TOKENS = [
  'abc',
  'aGVsbG8=',
  'eyJvZmZzZXQiOiAwfQ==',
  'W10=',
  'eyJvZmZzZXQiOiAxMDAwMH0=',
  'eyJvZmZzZXQiOiAiMiJ9',
  'é',
  'eyJvZmZzZXQiOiAtMX0=',
  '',
  'eyJvZmZzZXQiOiAzfQ==',
];
const STRANGE_LIMITS: readonly unknown[] = [0, -1, 50_000, 50_001, 'x', '5', 2.5, 3.0, true, null, []];
const STRANGE_VIEWS: readonly unknown[] = ['BOGUS', 3, '2', 9, [], null, 'all'];

/** A random `runs/search`: mostly valid, in every spelling the grammar allows, and one in six broken somewhere. */
export function makeSearch(random: Random, known: Known): SearchPlan {
  const body: Record<string, unknown> = { experiment_ids: makeExperimentIds(random, known) };
  if (random.chance(0.95)) body.filter = makeFilter(random, known);
  if (random.chance(0.6)) body.order_by = makeOrder(random);
  if (random.chance(0.4)) body.run_view_type = random.pick(['ACTIVE_ONLY', 'ALL', 'DELETED_ONLY']);
  if (random.chance(0.01)) body.run_view_type = random.pick(STRANGE_VIEWS);
  if (random.chance(0.9)) body.max_results = random.pick([1, 2, 3, 5, 7, 20, 100]);
  if (random.chance(0.01)) body.max_results = random.pick(STRANGE_LIMITS);
  if (random.chance(0.015)) body.page_token = random.pick(BAD_TOKENS);
  if (random.chance(0.01)) body.filter = random.pick<unknown>([5, null, [], 'a'.repeat(70_000), 'AND '.repeat(3000)]);
  if (random.chance(0.005))
    body[random.pick(['extra', 'maxResults', 'experimentIds'])] = random.pick<unknown>([1, ['1'], 'x']);
  return { body, pages: 4 };
}
