import type { Command } from './command.ts';

/** What was given for a key. */
export type Given = (path: string) => unknown;

/** Something that is wrong with a key beside others. */
export interface Contradiction {
  readonly path: string;
  wrong(given: Given): boolean;
  readonly message: string;
  /** The command to which it is none. */
  readonly except?: Command;
}
