import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Open } from './with-services.ts';

/** A new folder for the files of one benchmark, which is removed with its services. */
export async function openFolder(open: Open, name: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), `bench-${name}-`));
  await open(Promise.resolve({ stop: () => rm(folder, { recursive: true }) }));
  return folder;
}
