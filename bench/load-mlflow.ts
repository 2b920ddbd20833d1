import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { installMlflow } from '../test/services/mlflow.ts';

const SCRIPT = fileURLToPath(new URL('load-mlflow.py', import.meta.url));

/** Writes runs into the database of an idle MLflow server, which would take hours to create as many. */
export async function loadMlflow(databaseUri: string, runs: Iterable<string>): Promise<void> {
  const child = spawn(await installMlflow(), [SCRIPT, databaseUri], {
    env: { ...process.env, DO_NOT_TRACK: 'true' },
    stdio: ['pipe', 'ignore', 'inherit'],
  });
  const [[code]] = await Promise.all([once(child, 'exit'), pipeline(Readable.from(lines(runs)), child.stdin)]);
  if (code !== 0) throw new Error(`The runs could not be loaded into MLflow: exit code ${code}`);
}

function* lines(runs: Iterable<string>): Generator<string> {
  for (const run of runs) yield `${run}\n`;
}
