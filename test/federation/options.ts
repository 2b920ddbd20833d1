import { type ParseArgsOptionsConfig, parseArgs } from 'node:util';
import { toNumber } from '../fixtures/to-number.ts';

export interface FederationOptions {
  readonly searches: number;
  readonly seed: number;
  readonly runs: number;
  readonly backends: number;
}

export const HELP = `Random searches, valid and broken, asked of a gateway in front of several MLflow servers with an index and of one
without, and of one MLflow server that holds the runs of all. Any difference in status, error, runs, order, run JSON or paging
is printed and makes the exit code 1.

Usage: npm run federation -- [options]

  --searches N       searches (1000)
  --seed S           seed of runs and searches (1)
  --runs N           runs in all (150)
  --backends N       MLflow servers behind the gateway: 2 or 3 (2)
  --help             print this text and stop
`;

const SPEC = {
  searches: { type: 'string', default: '1000' },
  seed: { type: 'string', default: '1' },
  runs: { type: 'string', default: '150' },
  backends: { type: 'string', default: '2' },
  help: { type: 'boolean', default: false },
} satisfies ParseArgsOptionsConfig;

/** @throws Error that says which option is wrong. Undefined when only help was asked. */
export function readOptions(args: readonly string[]): FederationOptions | undefined {
  const { values } = parseArgs({ args: [...args], options: SPEC });
  if (values.help) return undefined;
  const backends = toNumber('backends', values.backends);
  if (backends !== 2 && backends !== 3) throw new Error('--backends is 2 or 3');
  return {
    searches: toNumber('searches', values.searches),
    seed: toNumber('seed', values.seed),
    runs: toNumber('runs', values.runs),
    backends,
  };
}
