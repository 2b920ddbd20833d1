import { createMlflowAdapter } from '../../adapters/mlflow/index.ts';
import type { CommandOptions } from '../config/command.ts';
import type { Config } from '../config/schema.ts';
import type { Secrets } from '../config/secrets.ts';
import { NEVER_USED } from '../indexing/backfill-command.ts';
import { progressLine } from '../indexing/progress-line.ts';
import { printReport } from '../inspect/print-report.ts';
import { verify } from '../inspect/verify.ts';
import { printJson } from './print-json.ts';
import { experimentsOf, prepareToRead, withIndex } from './with-index.ts';

/** Compares the index with the MLflow server beside a running gateway, and prints what differs. Gives the exit code. */
export function runVerify(config: Config, secrets: Secrets, options: CommandOptions): Promise<number> {
  return withIndex(config, secrets, async (opened) => {
    const { index, reader, upstream, signal } = opened;
    await prepareToRead(opened);
    if ((await index.epoch()) === 0) throw new Error(NEVER_USED);
    const line = progressLine(process.stderr);
    const report = await verify(
      { index, reader, backend: createMlflowAdapter(upstream) },
      {
        experimentIds: await experimentsOf(opened, options.experimentIds),
        sample: options.full ? undefined : options.sample,
        maxDifferences: options.maxDifferences,
        signal,
        onProgress: line.show,
      },
    );
    line.end();
    if (options.json) printJson(report);
    else process.stdout.write(printReport(report));
    return Object.keys(report.byExperiment).length > 0 || report.notRecorded.length > 0 ? 1 : 0;
  });
}
