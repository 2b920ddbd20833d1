import { differenceOf } from '../test/fuzz/compare-answers.ts';

interface Page {
  readonly runs?: readonly { readonly info: { readonly run_id: string; readonly run_name: string } }[];
}

/** A page of `runs/search` with each run's id, wherever it stands, replaced by its name. */
function byName(answer: Buffer): string {
  const page = JSON.parse(answer.toString()) as Page;
  const runs = page.runs?.map((run) => JSON.parse(JSON.stringify(run).replaceAll(run.info.run_id, run.info.run_name)));
  return JSON.stringify({ ...page, runs });
}

export const countRuns = (answer: Buffer): number => (JSON.parse(answer.toString()) as Page).runs?.length ?? 0;

function checkSame(expected: string, actual: string): void {
  const [a, b] = [expected, actual].map((text) => ({ status: 200, source: null, text }));
  const difference = a && b && differenceOf(a, b);
  if (difference) throw new Error(`The gateway gave other runs: ${difference}`);
}

/**
 * Compares two pages of the same runs: which, their order, and all that is said of them.
 * @throws Error when they differ.
 */
export const checkSameAnswers = (expected: Buffer, actual: Buffer): void =>
  checkSame(expected.toString(), actual.toString());

/** As {@link checkSameAnswers}, of runs that have other ids in each. */
export const checkSameRuns = (expected: Buffer, actual: Buffer): void => checkSame(byName(expected), byName(actual));
