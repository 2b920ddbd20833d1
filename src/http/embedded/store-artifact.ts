import { mkdir, open, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { invalidParameter } from '../../errors/gateway-error.ts';
import { asPathError, isMissing, resolveInside } from './artifact-path.ts';
import { isStaged, reservedMessage, stagedName } from './staging.ts';

/**
 * Writes an artifact, whole or not at all: readers see the old content until the new one is complete. The body is
 * written as it comes.
 * @throws GatewayError `INVALID_PARAMETER_VALUE` for a path that cannot be a file. What the body throws passes.
 */
export async function storeArtifact(
  root: string,
  parts: readonly string[],
  body: Buffer | AsyncIterable<Buffer>,
): Promise<void> {
  const name = parts.at(-1) ?? '';
  if (isStaged(name)) throw invalidParameter(reservedMessage(name));
  const target = await resolveInside(root, parts);
  await mkdir(root, { recursive: true });
  // Not in the target's own folder when that is new: an upload that breaks off would leave it behind, empty.
  const staged = stagedName(await nearestFolder(target, parts));
  try {
    await write(staged, body);
    await mkdir(dirname(target), { recursive: true });
    await rename(staged, target);
  } catch (error) {
    await rm(staged, { force: true });
    throw isTaken(error) ? notAFile(parts) : asPathError(error);
  }
}

async function write(path: string, body: Buffer | AsyncIterable<Buffer>): Promise<void> {
  const file = await open(path, 'wx');
  try {
    await file.writeFile(body);
  } finally {
    await file.close();
  }
}

/** The folder nearest to the target that exists, always on the file system that new folders below it will be on. */
async function nearestFolder(target: string, parts: readonly string[]): Promise<string> {
  if ((await kindOf(target)) === 'folder') throw notAFile(parts);
  let folder = dirname(target);
  for (;;) {
    const kind = await kindOf(folder);
    if (kind === 'folder') return folder;
    if (kind === 'file') throw notAFile(parts);
    folder = dirname(folder);
  }
}

async function kindOf(path: string): Promise<'folder' | 'file' | undefined> {
  try {
    return (await stat(path)).isDirectory() ? 'folder' : 'file';
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw asPathError(error);
  }
}

/** Someone made a folder of the name, or a file of one of its folders, while the body came in. */
const isTaken = (error: unknown): boolean =>
  ['EISDIR', 'EEXIST', 'ENOTDIR', 'ENOTEMPTY'].includes(String((error as NodeJS.ErrnoException).code));

const notAFile = (parts: readonly string[]) =>
  invalidParameter(`Artifact path refers to a directory, or to a place inside a file: '${parts.join('/')}'`);
