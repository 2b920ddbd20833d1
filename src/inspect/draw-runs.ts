import { randomBytes } from 'node:crypto';
import type { RunAdapter } from '../plan/adapter.ts';
import { allRuns, runsFrom } from '../query/runs-query.ts';

/** The runs whose ids begin alike, as each side has them. */
export interface Draw {
  readonly inBackend: readonly string[];
  readonly inIndex: readonly string[];
}

/** Enough to tell any number of runs apart. */
const MOST_DIGITS = 8;
const MOST_RUNS = 500;

/**
 * Draws runs of an experiment at random, none twice, until there are no more. Ids are random hexadecimal digits, so those
 * that begin with certain digits are a blind choice, and the same one on both sides.
 * @param few about how many come at once, 500 at most
 */
export async function* drawRuns(
  { index, backend }: { readonly index: RunAdapter; readonly backend: RunAdapter },
  experimentId: string,
  few: number,
  signal: AbortSignal,
): AsyncGenerator<Draw> {
  const most = Math.min(few, MOST_RUNS);
  const startingWith = (digits: string) => (digits === '' ? allRuns([experimentId]) : runsFrom(experimentId, digits));
  const fetch = async (source: RunAdapter, digits: string, limit: number, offset = 0) =>
    (await source.pushDown(startingWith(digits)).fetch({ limit, from: { offset } }, signal)).runs.map(String);
  let digits = randomDigits(MOST_DIGITS);
  let length = 0;
  while (length < MOST_DIGITS && (await fetch(backend, digits.slice(0, length), 1, most)).length > 0) length++;
  digits = digits.slice(0, length);
  const drawn = new Set<string>();
  for (;;) {
    drawn.add(digits);
    // Another choice may hold some more.
    const inBackend = await fetch(backend, digits, most * 4);
    yield { inBackend, inIndex: await fetch(index, digits, most * 4) };
    if (drawn.size === 16 ** length) return;
    while (drawn.has(digits)) digits = randomDigits(length);
  }
}

const randomDigits = (length: number) => randomBytes(MOST_DIGITS).toString('hex').slice(0, length);
