import { parseArgs } from 'node:util';
import {
  COMMAND_WORDS,
  type Command,
  type CommandOptions,
  DEFAULT_MAX_DIFFERENCES,
  DEFAULT_SAMPLE,
  FLAGS_OF,
  LEAST,
} from './command.ts';
import type { Problem } from './config-error.ts';
import { nearest } from './nearest.ts';

export interface Arguments {
  readonly command: Command;
  /** The command that `--help` is asked about. */
  readonly topic: Command;
  readonly options: CommandOptions;
  readonly file: string | undefined;
  /** Flags that set a key: the key, the value as written, and the flag. */
  readonly settings: readonly { readonly path: string; readonly value: string; readonly flag: string }[];
  readonly problems: readonly Problem[];
}

/** Flags for the keys that people set by hand; everything else has its variable or its line in the file. */
const KEY_OF_FLAG: Readonly<Record<string, string>> = {
  upstream: 'upstream.url',
  elasticsearch: 'elasticsearch.url',
  redis: 'redis.url',
  'data-dir': 'data.dir',
  host: 'listen.host',
  port: 'listen.port',
  workers: 'workers',
};
const VALUED_FLAGS = [...Object.keys(KEY_OF_FLAG), 'config', 'experiment', 'run', 'sample', 'max-differences'];
const COMMAND_FLAGS = ['help', 'version', 'check-config'] as const;
const GATEWAY_FLAGS = [...Object.keys(KEY_OF_FLAG), 'config', ...COMMAND_FLAGS];

type Token = ReturnType<typeof tokensOf>[number];
type Option = Extract<Token, { kind: 'option' }>;

/** Reads the command line without judging values of keys; what it does not know is a problem with a hint. */
export function readArguments(argv: readonly string[]): Arguments {
  const tokens = tokensOf(argv);
  const options = tokens.filter((token) => token.kind === 'option');
  const words = tokens.filter((token) => token.kind === 'positional').map(({ value }) => value);
  const topic = COMMAND_WORDS.find((command) => isSpelled(command, words)) ?? 'serve';
  const flags = [...GATEWAY_FLAGS, ...(FLAGS_OF[topic] ?? [])];
  const isUnknown = (token: Token | undefined) => token?.kind === 'option' && !flags.includes(token.name);
  // What follows an unknown flag may have been meant as its value.
  const given = tokens.flatMap((token, i) =>
    token.kind === 'positional' && !isUnknown(tokens[i - 1]) ? [token.value] : [],
  );
  const known = options.filter((option) => !isUnknown(option));
  const valued = known.filter(({ name, value }) => VALUED_FLAGS.includes(name) && value);
  const isGiven = (name: string) => known.some((option) => option.name === name);
  const last = (name: string) => valued.findLast((option) => option.name === name)?.value;
  const all = (name: string) => {
    const values = valued.filter((option) => option.name === name).map(({ value = '' }) => value);
    return values.length > 0 ? [...new Set(values)] : undefined;
  };
  return {
    command: COMMAND_FLAGS.find(isGiven) ?? topic,
    topic,
    options: {
      json: isGiven('json'),
      experimentIds: all('experiment'),
      runIds: all('run'),
      full: isGiven('full'),
      sample: Number(last('sample') ?? DEFAULT_SAMPLE),
      maxDifferences: Number(last('max-differences') ?? DEFAULT_MAX_DIFFERENCES),
      count: isGiven('count'),
    },
    file: last('config'),
    settings: valued.flatMap(({ name, value = '', rawName: flag }) => {
      const path = KEY_OF_FLAG[name];
      return path ? [{ path, value, flag }] : [];
    }),
    problems: [
      ...given.filter((word) => !topic.split(' ').includes(word)).map(unknownCommand),
      ...options.filter(isUnknown).map(({ rawName }) => unknownFlag(rawName, flags)),
      ...known.filter(({ name, value }) => VALUED_FLAGS.includes(name) && !value).map(withoutValue),
      ...valued.flatMap(problemWithNumber),
      ...(isGiven('full') && isGiven('sample') ? [FULL_SAMPLE] : []),
    ],
  };
}

function tokensOf(argv: readonly string[]) {
  const valued = VALUED_FLAGS.map((name) => [name, { type: 'string' as const }]);
  const options = { ...Object.fromEntries(valued), help: { type: 'boolean' as const, short: 'h' } };
  return parseArgs({ args: [...argv], options, strict: false, allowPositionals: true, tokens: true }).tokens;
}

const isSpelled = (command: string, words: readonly string[]) =>
  command.split(' ').every((word) => words.includes(word));

const FULL_SAMPLE: Problem = { path: '--sample', message: 'is of no use with --full' };

const COMMANDS = COMMAND_WORDS.map((command) => `"${command}"`).join(', ');

const unknownCommand = (word: string): Problem => ({
  path: word,
  message: `unknown command; there are ${COMMANDS}`,
});

const withoutValue = ({ rawName }: Option): Problem => ({ path: rawName, message: 'needs a value' });

function unknownFlag(rawName: string, flags: readonly string[]): Problem {
  const guess = nearest(rawName.replace(/^-+/, ''), flags);
  return { path: rawName, message: `unknown flag; ${guess ? `did you mean --${guess}?` : '--help lists them'}` };
}

function problemWithNumber({ name, rawName, value }: Option): Problem[] {
  const least = LEAST[name];
  if (least === undefined || (/^\d{1,9}$/.test(value ?? '') && Number(value) >= least)) return [];
  return [{ path: rawName, message: `not a whole number of at least ${least}` }];
}
