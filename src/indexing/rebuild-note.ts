import type { Progress } from './backfill-progress.ts';

/**
 * What a command and the gateway tell each other of a rebuild, as the note of the index that the place has: `asked` by the
 * command, the others by the gateway. `swapped`: the new index answers, the old one is not deleted yet.
 * `refused`: not to be done, for the reason in `failure`.
 */
export interface RebuildNote {
  /** Of the command that asked. */
  readonly id: string;
  readonly state: 'asked' | 'copying' | 'swapped' | 'done' | 'refused';
  /** When this was written, in ms since 1970 by the writer's clock. */
  readonly at: number;
  readonly progress?: Progress | undefined;
  /** What went wrong last; the gateway tries again. */
  readonly failure?: string | undefined;
}

export const writeNote = (note: RebuildNote): string => JSON.stringify(note);

export const readNote = (text: string | undefined): RebuildNote | undefined =>
  text === undefined ? undefined : (JSON.parse(text) as RebuildNote);
