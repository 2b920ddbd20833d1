import { type ChildProcess, spawn } from 'node:child_process';
import { chownSync, closeSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { logTail } from './log-tail.ts';
import { unprivilegedUser } from './unprivileged-user.ts';

/** A running service with data of its own, which `stop` ends and removes. */
export interface Service {
  readonly url: string;
  /** Leads the process group that holds every process of the service. */
  readonly pid: number;
  /** The last lines of its log. */
  logTail(): string;
  stop(): Promise<void>;
}

export interface Launch {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  /** Working folder from `inNewFolder`: holds the log, and is removed when the service stops. */
  readonly folder: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Elasticsearch and PostgreSQL refuse to run as root. */
  readonly asRoot: boolean;
  readonly stopSignal?: 'SIGTERM' | 'SIGINT';
  /** Asked again and again until it says true; an error counts as not yet. */
  readonly isReady: () => Promise<boolean>;
  readonly readyWithinMs: number;
}

const POLL_MS = 100;
const STOP_WITHIN_MS = 15_000;

/**
 * Runs "$@" as leader of a process group. Descriptor 3 ends with the process that asked for the service, however that
 * one dies; a bystander in the group then stops the group and removes its folder, so nothing is ever orphaned.
 */
const WATCHED = `signal=$1 folder=$2; shift 2
( ( trap '' TERM INT
    cat <&3 >/dev/null
    kill -s "$signal" 0
    tries=0
    while kill -0 $$ 2>/dev/null && [ $tries -lt 100 ]; do sleep 0.1; tries=$((tries + 1)); done
    rm -rf "$folder"
    kill -s KILL 0
) & )
exec "$@" 3<&-`;

/** Starts a service and waits until it is ready. Its environment is only `PATH` and what is named here. */
export async function launch(options: Launch): Promise<Omit<Service, 'url'>> {
  const child = spawnWatched(options);
  const stop = async () => {
    await stopGroup(child, options.stopSignal ?? 'SIGTERM');
    removeFolder(options.folder);
  };
  const problem = await waitUntilReady(child, options);
  const endOfLog = () => logTail(logFile(options.folder));
  if (problem === undefined) return { pid: child.pid as number, logTail: endOfLog, stop };
  const log = endOfLog();
  await stop();
  throw new Error(`${options.name} ${problem}. The end of its log:\n${log}`);
}

function spawnWatched({ command, args, folder, env, asRoot, stopSignal }: Launch): ChildProcess {
  const log = openSync(logFile(folder), 'a');
  const signal = (stopSignal ?? 'SIGTERM').slice('SIG'.length);
  const child = spawn('/bin/sh', ['-c', WATCHED, 'sh', signal, folder, command, ...args], {
    cwd: folder,
    env: { PATH: process.env.PATH, LANG: 'C.UTF-8', HOME: folder, ...env },
    stdio: ['ignore', log, log, 'pipe'],
    detached: true,
    ...(asRoot ? {} : unprivilegedUser()),
  });
  closeSync(log);
  child.on('error', () => {}); // told by waitUntilReady, as a child without a pid
  child.unref();
  (child.stdio[3] as { unref?(): void } | null)?.unref?.();
  return child;
}

async function waitUntilReady(child: ChildProcess, { isReady, readyWithinMs }: Launch): Promise<string | undefined> {
  const deadline = Date.now() + readyWithinMs;
  while (Date.now() < deadline) {
    if (hasEnded(child)) return `ended at its start (${child.signalCode ?? `exit code ${child.exitCode}`})`;
    if (await isReady().catch(() => false)) return undefined;
    await sleep(POLL_MS);
  }
  return `was not ready within ${readyWithinMs / 1000} s`;
}

const hasEnded = (child: ChildProcess): boolean =>
  child.pid === undefined || child.exitCode !== null || child.signalCode !== null;

async function stopGroup(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.pid === undefined) return;
  const deadline = Date.now() + STOP_WITHIN_MS;
  if (!hasEnded(child)) signalGroup(child.pid, signal);
  while (!hasEnded(child) && Date.now() < deadline) await sleep(POLL_MS / 5);
  signalGroup(child.pid, 'SIGKILL'); // the bystander, and whatever a leader left behind
}

function signalGroup(leader: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-leader, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

export const logFile = (folder: string): string => join(folder, 'service.log');

/** Starts a service in a new folder, which is removed at once when the start fails. */
export async function inNewFolder<T>(name: string, asRoot: boolean, start: (folder: string) => Promise<T>): Promise<T> {
  const folder = makeFolder(name, asRoot);
  try {
    return await start(folder);
  } catch (error) {
    removeFolder(folder);
    throw error;
  }
}

/** Under the system's temporary folder, owned by whoever will run the service. */
function makeFolder(name: string, asRoot: boolean): string {
  const folder = mkdtempSync(join(tmpdir(), `gateway-${name}-`));
  const user = asRoot ? undefined : unprivilegedUser();
  if (user) chownSync(folder, user.uid, user.gid);
  return folder;
}

const removeFolder = (folder: string): void =>
  rmSync(folder, {
    recursive: true,
    force: true,
    maxRetries: 5,
    retryDelay: 100,
  });

/**
 * A port of 127.0.0.1 that nothing listens on at this moment: the wanted one, or any.
 * @throws Error `EADDRINUSE`, because whatever listens there would be taken for the service that was started.
 */
export function freePort(wanted = 0): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().once('error', reject);
    server.listen(wanted, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}
