import { readFileSync } from 'node:fs';

/** The last lines of a log, for the message of an error. */
export function logTail(file: string, lines = 40): string {
  return readFileSync(file, 'utf8').trimEnd().split('\n').slice(-lines).join('\n');
}
