import type { Dirent } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { GatewayError } from '../../errors/gateway-error.ts';
import { asPathError, isMissing, resolveInside } from './artifact-path.ts';
import { isStaged } from './staging.ts';

/** An entry of a folder as MLflow's JSON has it: a size of zero is left out, like every default of protobuf. */
export interface ArtifactEntry {
  readonly path: string;
  readonly is_dir: boolean;
  readonly file_size?: number;
}

/**
 * One level of a folder, in the order of Python's strings. A folder that is not there, or is a file, is empty. Links that
 * lead out of the root or nowhere are left out, as are uploads under way.
 * @throws GatewayError `INVALID_PARAMETER_VALUE` when the folder itself is outside the root.
 */
export async function listArtifacts(root: string, parts: readonly string[]): Promise<ArtifactEntry[]> {
  const folder = await resolveInside(root, parts);
  const placeOf = async (entry: Dirent) =>
    entry.isSymbolicLink() ? resolveInside(root, [...parts, entry.name]) : join(folder, entry.name);
  const shown = (await entriesOf(folder)).filter(({ name }) => !isStaged(name));
  const described = await Promise.all(shown.map((entry) => describe(entry, placeOf(entry))));
  return described.filter((entry) => entry !== undefined).sort(byCodePoints);
}

const entriesOf = (folder: string): Promise<Dirent[]> =>
  readdir(folder, { withFileTypes: true }).catch((error: unknown) => {
    if (isMissing(error)) return [];
    throw asPathError(error);
  });

async function describe({ name: path }: Dirent, place: Promise<string>): Promise<ArtifactEntry | undefined> {
  try {
    const found = await stat(await place);
    if (found.isDirectory()) return { path, is_dir: true };
    if (!found.isFile()) return undefined;
    return { path, is_dir: false, ...(found.size > 0 && { file_size: found.size }) };
  } catch (error) {
    if (isMissing(error) || error instanceof GatewayError) return undefined;
    throw error;
  }
}

/** JavaScript compares UTF-16, which puts what lies beyond U+FFFF before U+E000. */
const byCodePoints = (a: ArtifactEntry, b: ArtifactEntry): number =>
  Buffer.compare(Buffer.from(a.path), Buffer.from(b.path));
