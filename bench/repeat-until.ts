import { setTimeout as sleep } from 'node:timers/promises';

/** A gateway that has just started, or did not get a processor for seconds, does without its cache for a while. */
const ATTEMPTS = 300;
const PAUSE_MS = 50;

/**
 * Asks until the answer is one of those that count.
 * @returns that answer, and the ms it took
 * @throws Error when none of 300 was
 */
export async function repeatUntil<Answer>(
  ask: () => Promise<Answer>,
  counts: () => boolean,
): Promise<{ readonly answer: Answer; readonly took: number }> {
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    const start = performance.now();
    const answer = await ask();
    const took = performance.now() - start;
    if (counts()) return { answer, took };
    await sleep(PAUSE_MS);
  }
  throw new Error(`None of ${ATTEMPTS} answers was of the kind that is timed.`);
}
