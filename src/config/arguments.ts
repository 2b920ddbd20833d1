import { parseArgs } from 'node:util';
import type { Problem } from './config-error.ts';
import { nearest } from './nearest.ts';

export type Command = 'serve' | 'backfill' | 'check-config' | 'help' | 'version';

export interface Arguments {
  readonly command: Command;
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
};
const VALUED_FLAGS = [...Object.keys(KEY_OF_FLAG), 'config'];
const COMMAND_FLAGS = ['help', 'version', 'check-config'] as const;
const FLAGS = [...VALUED_FLAGS, ...COMMAND_FLAGS];

export const HELP = `A tracking gateway for MLflow.

Usage
  npm start -- [options]                           start a tracking server of its own, with files in the data folder
  npm start -- --upstream URL [options]            start the gateway in front of an MLflow server
  npm run backfill -- --upstream URL [options]     copy the runs of the MLflow server into the index, then stop

Options
  --upstream URL        the MLflow server, such as http://127.0.0.1:5001
  --elasticsearch URL   Elasticsearch for the runs index, instead of a file
  --redis URL           Redis for the cache
  --data-dir DIR        folder for runs and artifacts, or for the runs index when there is an upstream (data)
  --host HOST           address to listen on (127.0.0.1)
  --port PORT           port to listen on (5000)
  --config FILE         YAML file with any of the keys of config/default.yaml
  --check-config        say whether the configuration is good, and what it is, and stop
  --version             print the version and stop
  --help                print this text and stop

Every key can also be given by an environment variable: listen.port is GATEWAY_LISTEN_PORT.
Flags win over the environment, the environment over the file.
`;

type Token = ReturnType<typeof tokensOf>[number];

/** Reads the command line without judging values; what it does not know is a problem with a hint. */
export function readArguments(argv: readonly string[]): Arguments {
  const tokens = tokensOf(argv);
  const options = tokens.filter((token) => token.kind === 'option');
  // What follows an unknown flag may have been meant as its value.
  const words = tokens.filter((token, i) => token.kind === 'positional' && !isUnknown(tokens[i - 1]));
  const given = words.map((token) => ('value' in token ? String(token.value) : ''));
  const valued = options.filter(({ name, value }) => VALUED_FLAGS.includes(name) && value);
  return {
    command:
      COMMAND_FLAGS.find((flag) => options.some(({ name }) => name === flag)) ??
      (given.includes('backfill') ? 'backfill' : 'serve'),
    file: valued.findLast(({ name }) => name === 'config')?.value,
    settings: valued.flatMap(({ name, value = '', rawName: flag }) => {
      const path = KEY_OF_FLAG[name];
      return path ? [{ path, value, flag }] : [];
    }),
    problems: [
      ...given.filter((word) => word !== 'backfill').map(unknownCommand),
      ...options.filter(isUnknown).map(({ rawName }) => unknownFlag(rawName)),
      ...options.filter(({ name, value }) => VALUED_FLAGS.includes(name) && !value).map(withoutValue),
    ],
  };
}

function tokensOf(argv: readonly string[]) {
  const valued = VALUED_FLAGS.map((name) => [name, { type: 'string' as const }]);
  const options = { ...Object.fromEntries(valued), help: { type: 'boolean' as const, short: 'h' } };
  return parseArgs({ args: [...argv], options, strict: false, allowPositionals: true, tokens: true }).tokens;
}

const isUnknown = (token: Token | undefined): boolean => token?.kind === 'option' && !FLAGS.includes(token.name);

const unknownCommand = (word: string): Problem => ({
  path: word,
  message: 'unknown command; there is only "backfill"',
});

const withoutValue = ({ rawName }: { rawName: string }): Problem => ({ path: rawName, message: 'needs a value' });

function unknownFlag(rawName: string): Problem {
  const guess = nearest(rawName.replace(/^-+/, ''), FLAGS);
  return { path: rawName, message: `unknown flag; ${guess ? `did you mean --${guess}?` : '--help lists them'}` };
}
