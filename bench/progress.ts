/** Tells whoever waits where the benchmark is. */
export type Say = (line: string) => void;

const STEP = 20_000;

/** The runs, and a word now and then on how many were taken. */
export function* withProgress(runs: Iterable<string>, where: string, say: Say, step = STEP): Generator<string> {
  let taken = 0;
  for (const run of runs) {
    yield run;
    if (++taken % step === 0) say(`${taken} runs in ${where}`);
  }
}
