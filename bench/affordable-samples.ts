/** How long samples of a slow server may take together, in ms, unless there are too few then. */
const BUDGET_MS = 20_000;
const FEWEST_SAMPLES = 3;

/** Asks once; says how many of as many as are wanted fit into 20 s. */
export async function affordableSamples(ask: () => Promise<unknown>, wanted: number): Promise<number> {
  const start = performance.now();
  await ask();
  const affordable = Math.floor(BUDGET_MS / (performance.now() - start));
  return Math.min(wanted, Math.max(FEWEST_SAMPLES, affordable));
}
