import { type ParseArgsOptionsConfig, parseArgs } from 'node:util';
import { toNumber } from '../fixtures/to-number.ts';

export interface IsolationOptions {
  readonly requests: number;
  readonly clients: number;
  readonly seed: number;
  readonly runs: number;
  readonly index: 'sqlite' | 'elasticsearch';
}

export const HELP = `Three users with rights that change ask a gateway, with warm caches and index, and MLflow's basic-auth app itself.
An answer that differs from what MLflow gives the same user makes the exit code 1.

Usage: npm run isolation -- [options]

  --requests N       how many requests to compare (20000)
  --clients N        at the same time (8)
  --runs N           runs in the experiments (300)
  --index KIND       sqlite, with a cache in memory, or elasticsearch, with one in Redis (elasticsearch)
  --seed S           seed of what is asked, and of the rights (the time of day)
  --help             print this text and stop
`;

const SPEC = {
  requests: { type: 'string', default: '20000' },
  clients: { type: 'string', default: '8' },
  runs: { type: 'string', default: '300' },
  index: { type: 'string', default: 'elasticsearch' },
  seed: { type: 'string' },
  help: { type: 'boolean', default: false },
} satisfies ParseArgsOptionsConfig;

/** @throws Error that says which option is wrong. Undefined when only help was asked. */
export function readOptions(args: readonly string[]): IsolationOptions | undefined {
  const { values } = parseArgs({ args: [...args], options: SPEC });
  if (values.help) return undefined;
  const { index } = values;
  if (index !== 'sqlite' && index !== 'elasticsearch') throw new Error('--index is sqlite or elasticsearch');
  return {
    requests: toNumber('requests', values.requests),
    clients: toNumber('clients', values.clients),
    runs: toNumber('runs', values.runs),
    index,
    seed: toNumber('seed', values.seed ?? `${Date.now() % 1_000_000}`),
  };
}
