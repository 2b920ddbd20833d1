import { TEXTS } from './make-runs.ts';
import type { Random } from './random.ts';

export interface ExperimentPlan {
  readonly name: string;
  readonly tags: readonly { key: string; value: string }[];
  readonly deleted: boolean;
}

const NAME_PARTS = ['alpha', 'Alpha', 'ALPHA beta', "it's", '50%', 'a_b', 'über', 'ÜBER', 'x\\y', '日本', '1'];
const EXPERIMENT_TAG_KEYS = ['team', 'Team', 'a.b', 'with space', '1x', '123'];

/** Experiments whose names are each other's near misses; `label` keeps them apart from other tests'. */
export const makeExperiments = (random: Random, label: string, count: number): ExperimentPlan[] =>
  Array.from({ length: count }, (_, i) => ({
    name: `${label} ${random.pick(NAME_PARTS)} ${i}`,
    tags: random.some(EXPERIMENT_TAG_KEYS, random.int(0, 4)).map((key) => ({ key, value: random.pick(TEXTS) })),
    deleted: random.chance(0.2),
  }));

const quote = (random: Random, text: string) => {
  const mark = text.includes("'") ? '"' : random.pick(["'", "'", '"']);
  return mark + text + mark;
};

const keyOf = (random: Random) => {
  const key = random.pick(EXPERIMENT_TAG_KEYS);
  return random.pick([`\`${key}\``, `"${key}"`, ...(/^[a-z.]+$/i.test(key) ? [key] : [])]);
};

function clause(random: Random, label: string, ids: readonly string[], times: readonly number[]): string {
  const prefix = random.pick(['', '', 'attribute.']);
  switch (random.int(0, 5)) {
    case 0: {
      const part = random.pick(NAME_PARTS);
      const value = random.pick([
        `%${part}%`,
        `${label}%`,
        `%${part.toLowerCase()}%`,
        `%_${part.slice(1)}%`,
        `${label} ${part} 3`,
      ]);
      return `${prefix}name ${random.pick(['=', '!=', 'LIKE', 'ILIKE', 'ILIKE'])} ${quote(random, value)}`;
    }
    case 1:
      return random.chance(0.5)
        ? `${prefix}experiment_id ${random.pick(['=', '!='])} ${quote(random, random.pick(ids))}`
        : `experiment_id ${random.pick(['IN', 'NOT IN'])} (${random
            .some(ids, 3)
            .map((id) => quote(random, id))
            .join(', ')})`;
    case 2:
      return `${prefix}${random.pick(['creation_time', 'last_update_time'])} ${random.pick(['<', '<=', '>', '>=', '=', '!='])} ${random.pick(times)}`;
    case 3:
      return `${random.pick(['tag', 'tags'])}.${keyOf(random)} ${random.pick(['IS NULL', 'IS NOT NULL', 'is not null'])}`;
    default: {
      const test = random.chance(0.5)
        ? `${random.pick(['=', '!='])} ${quote(random, random.pick(TEXTS))}`
        : `${random.pick(['LIKE', 'ILIKE'])} ${quote(random, `${random.pick(['', '%'])}${random.pick(TEXTS)}${random.pick(['', '%'])}`)}`;
      return `${random.pick(['tag', 'tags'])}.${keyOf(random)} ${test}`;
    }
  }
}

const BROKEN = [
  "attributes.name = 'x'",
  "name like 'x'",
  'foo',
  "experiment_id = 'a'",
  'creation_time > 0.5',
  "name = 'a' OR name = 'b'",
  'name = 5',
];

/** A random `experiments/search`, one in ten broken. Every filter keeps to the experiments of this label. */
export function makeExperimentSearch(
  random: Random,
  label: string,
  ids: readonly string[],
  times: readonly number[],
): Record<string, unknown> {
  const clauses = Array.from({ length: random.int(0, 3) }, () => clause(random, label, ids, times));
  const filter = [`name LIKE '${label}%'`, ...clauses, ...(random.chance(0.1) ? [random.pick(BROKEN)] : [])].join(
    ' AND ',
  );
  const keys = ['name', 'experiment_id', 'creation_time', 'last_update_time', 'attribute.name'];
  return {
    filter,
    max_results: random.pick([2, 5, 100, ...(random.chance(0.05) ? [0, 50_001] : [])]),
    ...(random.chance(0.5) && {
      order_by: random.some(keys, random.int(0, 2)).map((key) => key + random.pick(['', ' ASC', ' DESC'])),
    }),
    ...(random.chance(0.5) && { view_type: random.pick(['ACTIVE_ONLY', 'DELETED_ONLY', 'ALL']) }),
  };
}
