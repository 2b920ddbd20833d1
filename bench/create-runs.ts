import { createRun } from '../test/fixtures/create-run.ts';

/** Makes runs, in one experiment after the other; gives their ids. */
export async function createRuns(url: string, experimentIds: readonly string[], count: number): Promise<string[]> {
  const runIds: string[] = [];
  for (let i = 0; i < count; i++) {
    const experiment_id = experimentIds[i % experimentIds.length];
    runIds.push(await createRun(url, { experiment_id, start_time: Date.now() }));
  }
  return runIds;
}
