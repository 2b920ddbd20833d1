import { readFileSync } from 'node:fs';

/** Whether a file is there and has something in it. */
export function isReadable(file: string): boolean {
  try {
    return readFileSync(file).length > 0;
  } catch {
    return false;
  }
}
