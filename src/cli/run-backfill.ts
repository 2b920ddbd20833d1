import type { CommandOptions } from '../config/command.ts';
import type { Config } from '../config/schema.ts';
import type { Secrets } from '../config/secrets.ts';
import { backfillCommand } from '../indexing/backfill-command.ts';
import { printJson } from './print-json.ts';
import { experimentsOf, withIndex } from './with-index.ts';

/** Copies the runs of the MLflow server into the index beside a running gateway. Gives the exit code. */
export function runBackfill(config: Config, secrets: Secrets, options: CommandOptions): Promise<number> {
  return withIndex(config, secrets, async (opened) => {
    const { index, reader, signal } = opened;
    const { maxRunsPerSecond } = config.feed;
    const experimentIds = await experimentsOf(opened, options.experimentIds);
    const copying = { index, reader, output: process.stderr, signal, maxRunsPerSecond, experimentIds };
    return backfillCommand({ ...copying, ...(options.json && { onReport: printJson }) });
  });
}
