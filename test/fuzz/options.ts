import { type ParseArgsOptionsConfig, parseArgs } from 'node:util';
import { oneOf } from '../fixtures/one-of.ts';

export interface FuzzOptions {
  readonly n: number;
  readonly seeds: readonly number[];
  readonly runs: number;
  readonly backend: 'sqlite' | 'postgresql' | 'postgresql-c';
  readonly index: 'elasticsearch' | 'sqlite';
  readonly device: 'gateway' | 'store';
}

export const HELP = `Random searches, valid and broken, asked of an MLflow server directly and through gateways before it:
one with the index, one with the cache only. Any difference in status, error, runs, order, run JSON or paging is
printed and makes the exit code 1.

Usage: npm run fuzz -- [options]

  --n N              searches a seed (1000)
  --seed S           seed; may be repeated (1)
  --runs N           runs in the server (150)
  --backend NAME     database below MLflow: sqlite, postgresql, or postgresql-c, of which the gateways know that it
                     sorts text by its bytes (sqlite)
  --index NAME       index of the gateway: elasticsearch or sqlite (elasticsearch)
  --device NAME      what is held against MLflow: gateways before it, or the gateway's own store (gateway)
  --help             print this text and stop
`;

const SPEC = {
  n: { type: 'string', default: '1000' },
  seed: { type: 'string', multiple: true, default: ['1'] },
  runs: { type: 'string', default: '150' },
  backend: { type: 'string', default: 'sqlite' },
  index: { type: 'string', default: 'elasticsearch' },
  device: { type: 'string', default: 'gateway' },
  help: { type: 'boolean', default: false },
} satisfies ParseArgsOptionsConfig;

function toCount(name: string, text: string): number {
  const count = Number(text);
  if (!Number.isSafeInteger(count) || count < 0) throw new Error(`--${name} takes a whole number, not ${text}`);
  return count;
}

/** @throws Error that says which option is wrong. Undefined when only help was asked. */
export function readOptions(args: readonly string[]): FuzzOptions | undefined {
  const { values } = parseArgs({ args: [...args], options: SPEC });
  if (values.help) return undefined;
  return {
    n: toCount('n', values.n),
    seeds: values.seed.map((seed) => toCount('seed', seed)),
    runs: toCount('runs', values.runs),
    backend: oneOf('backend', ['sqlite', 'postgresql', 'postgresql-c'], values.backend),
    index: oneOf('index', ['elasticsearch', 'sqlite'], values.index),
    device: oneOf('device', ['gateway', 'store'], values.device),
  };
}
