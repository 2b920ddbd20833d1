import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { run } from './run.ts';

const REPOSITORY = resolve(import.meta.dirname, '../..');
const LOCK_POLL_MS = 200;

/** Where services are installed: `TEST_SERVICES_DIR`, or `.services` beside the sources. */
export const servicesFolder = (): string => resolve(process.env.TEST_SERVICES_DIR ?? join(REPOSITORY, '.services'));

/**
 * A folder filled once, by whichever process comes first. The mark that says it is whole is written last and holds the
 * recipe, so that an install cut off half-way, or of other versions, is done again.
 */
export async function installOnce(
  name: string,
  recipe: string,
  fill: (folder: string) => Promise<void>,
): Promise<string> {
  const folder = join(servicesFolder(), name);
  const mark = join(folder, '.installed');
  const isWhole = () => existsSync(mark) && readFileSync(mark, 'utf8') === recipe;
  if (isWhole()) return folder;
  return alone(async () => {
    if (isWhole()) return folder;
    console.error(`installing ${recipe} into ${folder}`);
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder);
    await fill(folder);
    writeFileSync(mark, recipe);
    return folder;
  });
}

type Find = () => string | undefined | Promise<string | undefined>;

/**
 * The path of the program that `find` sees, installing the Debian package first if it must and may.
 * @throws Error naming the command to run, when we are not root.
 */
export async function ensureProgram(debianPackage: string, find: Find): Promise<string> {
  const found = await find();
  if (found) return found;
  const command = `apt-get install -y --no-install-recommends ${debianPackage}`;
  if (process.getuid?.() !== 0) throw new Error(`${debianPackage} is not installed: run "sudo ${command}"`);
  return alone(async () => {
    if (!(await find())) await aptInstall(debianPackage);
    const installed = await find();
    if (installed) return installed;
    throw new Error(`"${command}" did not bring the program we look for`);
  });
}

async function aptInstall(debianPackage: string): Promise<void> {
  console.error(`installing ${debianPackage} by apt-get`);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const lock = ['-o', 'DPkg::Lock::Timeout=300'];
  await run('apt-get', ['update', '-q'], { env });
  await run('apt-get', [...lock, 'install', '-y', '-q', '--no-install-recommends', debianPackage], { env });
}

/** Runs `work` while no other process does; the lock is the database's, which the system frees when a process dies. */
async function alone<T>(work: () => Promise<T>): Promise<T> {
  mkdirSync(servicesFolder(), { recursive: true });
  const lock = new DatabaseSync(join(servicesFolder(), 'install.lock'));
  try {
    while (!tryLock(lock)) await sleep(LOCK_POLL_MS);
    return await work();
  } finally {
    lock.close();
  }
}

function tryLock(lock: DatabaseSync): boolean {
  try {
    lock.exec('BEGIN EXCLUSIVE');
    return true;
  } catch (error) {
    if ((error as Error).message.includes('locked')) return false;
    throw error;
  }
}
