/** What the entry point is asked to do. */
export type Command =
  | 'serve'
  | 'backfill'
  | 'rebuild'
  | 'index status'
  | 'verify'
  | 'purge'
  | 'check-config'
  | 'help'
  | 'version';

/** The commands that are words on the command line; without one the gateway starts. */
export const COMMAND_WORDS = [
  'backfill',
  'rebuild',
  'index status',
  'verify',
  'purge',
] as const satisfies readonly Command[];

/** What only commands take, as given; a command reads what it knows. */
export interface CommandOptions {
  /** Print the result as JSON on the standard output. */
  readonly json: boolean;
  /** Absent: all. */
  readonly experimentIds: readonly string[] | undefined;
  readonly runIds: readonly string[] | undefined;
  /** Compare every run. */
  readonly full: boolean;
  /** Runs to compare without `full`. */
  readonly sample: number;
  /** Most runs that are printed with what differs. */
  readonly maxDifferences: number;
  /** Count the runs of each experiment on both sides. */
  readonly count: boolean;
}

type Flag = 'json' | 'experiment' | 'run' | 'full' | 'sample' | 'max-differences' | 'count';

/** Flags of each command besides those of the gateway. */
export const FLAGS_OF: Readonly<Partial<Record<Command, readonly Flag[]>>> = {
  backfill: ['json', 'experiment'],
  rebuild: ['json'],
  'index status': ['json', 'experiment', 'count'],
  purge: ['json', 'experiment', 'run'],
  verify: ['json', 'experiment', 'full', 'sample', 'max-differences'],
};

/** The least value of flags that take a number. */
export const LEAST: Readonly<Partial<Record<string, number>>> = { sample: 1, 'max-differences': 0 };
export const DEFAULT_SAMPLE = 1_000;
export const DEFAULT_MAX_DIFFERENCES = 20;
