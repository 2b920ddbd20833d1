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
  host: 'listen.host',
  port: 'listen.port',
};
const COMMAND_FLAGS = ['check-config', 'help', 'version'] as const;
const FLAGS = [...Object.keys(KEY_OF_FLAG), 'config', ...COMMAND_FLAGS];

export const HELP = `A tracking gateway for MLflow.

Usage
  npm start -- --upstream URL [options]            start the gateway
  npm run backfill -- --upstream URL [options]     copy the runs of the MLflow server into the index, then stop

Options
  --upstream URL        the MLflow server, such as http://127.0.0.1:5001
  --elasticsearch URL   Elasticsearch for the runs index
  --redis URL           Redis for the cache
  --host HOST           address to listen on (127.0.0.1)
  --port PORT           port to listen on (5000)
  --config FILE         YAML file with any of the keys of config/default.yaml
  --check-config        say whether the configuration is good, and what it is, and stop
  --version             print the version and stop
  --help                print this text and stop

Every key can also be given by an environment variable: listen.port is GATEWAY_LISTEN_PORT.
Flags win over the environment, the environment over the file.
`;

/** Reads the command line without judging values; what it does not know is a problem with a hint. */
export function readArguments(argv: readonly string[]): Arguments {
  const problems: Problem[] = [];
  const settings: { path: string; value: string; flag: string }[] = [];
  let command: Command = 'serve';
  let file: string | undefined;
  for (const token of tokensOf(argv)) {
    if (token.kind === 'positional') {
      if (token.value === 'backfill') command = 'backfill';
      else problems.push({ path: token.value, message: 'unknown command; there is only "backfill"' });
    }
    if (token.kind !== 'option') continue;
    const { name, rawName, value } = token;
    const path = Object.hasOwn(KEY_OF_FLAG, name) ? KEY_OF_FLAG[name] : undefined;
    if ((COMMAND_FLAGS as readonly string[]).includes(name)) command = name as Command;
    else if (!path && name !== 'config') problems.push(unknownFlag(rawName));
    else if (value === undefined || value === '') problems.push({ path: rawName, message: 'needs a value' });
    else if (path) settings.push({ path, value, flag: rawName });
    else file = value;
  }
  return { command, file, settings, problems };
}

function tokensOf(argv: readonly string[]) {
  const valued = [...Object.keys(KEY_OF_FLAG), 'config'].map((name) => [name, { type: 'string' as const }]);
  const options = { ...Object.fromEntries(valued), help: { type: 'boolean' as const, short: 'h' } };
  return parseArgs({ args: [...argv], options, strict: false, allowPositionals: true, tokens: true }).tokens;
}

function unknownFlag(rawName: string): Problem {
  const guess = nearest(rawName.replace(/^-+/, ''), FLAGS);
  return { path: rawName, message: `unknown flag; ${guess ? `did you mean --${guess}?` : '--help lists them'}` };
}
