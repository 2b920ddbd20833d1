import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { invalidParameter } from '../../errors/gateway-error.ts';
import { asPathError, isMissing, resolveInside } from './artifact-path.ts';

/**
 * Removes a file, or a folder with all that is in it; what is not there counts as removed. A link goes, its target stays.
 * @throws GatewayError `INVALID_PARAMETER_VALUE` for the root itself and for a path that leads out of it.
 */
export async function deleteArtifact(root: string, parts: readonly string[]): Promise<void> {
  const name = parts.at(-1);
  // MLflow takes `.` for the root, and removes every artifact of every run.
  if (name === undefined) throw invalidParameter('Invalid path');
  const folder = await resolveInside(root, parts.slice(0, -1));
  await rm(join(folder, name), { recursive: true, force: true }).catch((error: unknown) => {
    if (!isMissing(error)) throw asPathError(error);
  });
}
