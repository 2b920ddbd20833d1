import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const execFileAsync = promisify(execFile);
const KEPT_OUTPUT = 3_000;

export interface RunOptions {
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
  readonly user?: { uid: number; gid: number } | undefined;
}

/** Runs a command to its end and gives what it printed, errors included; throws with that when it fails. */
export async function run(command: string, args: readonly string[], options: RunOptions = {}): Promise<string> {
  const { user, ...rest } = options;
  try {
    const { stdout, stderr } = await execFileAsync(command, args, {
      maxBuffer: 2 ** 26,
      ...rest,
      ...user,
    });
    return stdout + stderr;
  } catch (error) {
    const { stdout = '', stderr = '', message } = error as Error & { stdout?: string; stderr?: string };
    const printed = (stdout + stderr).trim().slice(-KEPT_OUTPUT);
    throw new Error(`${[command, ...args].join(' ')} failed:\n${printed || message}`);
  }
}
