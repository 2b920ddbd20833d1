import { Random } from '../test/fuzz/random.ts';
import { makeRuns } from './make-runs.ts';

/** Keys of a wide run, those of a narrow one among them. */
export const WIDE_KEYS = 1_700;

const names = (prefix: string, count: number) => Array.from({ length: count }, (_, i) => `${prefix}_${i}`);

/** Where the keys come from that a narrow run does not have. */
const METRICS = names('layer', 8_800);
const PARAMS = names('option', 1_000);
const TAGS = names('label', 200);
/** All names that a key may have, but for the few of a narrow run. */
export const WIDE_NAMES = METRICS.length + PARAMS.length + TAGS.length;

const EXTRA_PARAMS = 160;
const EXTRA_TAGS = 40;

interface NarrowRun {
  readonly info: { readonly start_time: number };
  readonly data: Readonly<Record<'metrics' | 'params' | 'tags', object[]>>;
}

/**
 * The runs of {@link makeRuns}, each with as many keys more as make it {@link WIDE_KEYS}: what suits narrow runs finds and
 * orders these alike.
 */
export function* makeWideRuns(count: number, experimentIds: readonly string[]): Generator<string> {
  const random = new Random(11);
  for (const text of makeRuns(count, experimentIds)) {
    const run = JSON.parse(text) as NarrowRun;
    const { metrics, params, tags } = run.data;
    const keys = metrics.length + params.length + tags.length;
    const timestamp = run.info.start_time;
    for (const key of draw(random, METRICS, WIDE_KEYS - keys - EXTRA_PARAMS - EXTRA_TAGS))
      metrics.push({ key, value: random.next(), timestamp, step: 0 });
    for (const key of draw(random, PARAMS, EXTRA_PARAMS)) params.push({ key, value: String(random.int(0, 99)) });
    for (const key of draw(random, TAGS, EXTRA_TAGS)) tags.push({ key, value: `value-${random.int(0, 99)}` });
    yield JSON.stringify(run);
  }
}

/** So many different ones, in their order. */
function* draw(random: Random, from: readonly string[], count: number): Generator<string> {
  let left = count;
  for (const [i, name] of from.entries()) {
    if (!random.chance(left / (from.length - i))) continue;
    left--;
    yield name;
  }
}
