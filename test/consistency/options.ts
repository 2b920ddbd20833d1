import { type ParseArgsOptionsConfig, parseArgs } from 'node:util';
import { toNumber } from '../fixtures/to-number.ts';

export interface ConsistencyOptions {
  readonly operations: number;
  readonly clients: number;
  readonly seed: number;
  /** Of the operations. */
  readonly shareOfWrites: number;
}

export const HELP = `Clients read and write through two gateways that share a Redis as their cache, while it is paused, emptied and back with an
older state, and while MLflow's answers are held back so that writes overtake them. An answer that is older than a write which was
acknowledged before it was asked for makes the exit code 1.

Usage: npm run consistency -- [options]

  --operations N     how many, reads and writes together (1000000)
  --clients N        at the same time (16)
  --writes SHARE     share of the writes (0.003)
  --seed S           seed of what is read and written, and when Redis fails (the time of day)
  --help             print this text and stop
`;

const SPEC = {
  operations: { type: 'string', default: '1000000' },
  clients: { type: 'string', default: '16' },
  writes: { type: 'string', default: '0.003' },
  seed: { type: 'string' },
  help: { type: 'boolean', default: false },
} satisfies ParseArgsOptionsConfig;

/** @throws Error that says which option is wrong. Undefined when only help was asked. */
export function readOptions(args: readonly string[]): ConsistencyOptions | undefined {
  const { values } = parseArgs({ args: [...args], options: SPEC });
  if (values.help) return undefined;
  return {
    operations: toNumber('operations', values.operations),
    clients: toNumber('clients', values.clients),
    shareOfWrites: toNumber('writes', values.writes),
    seed: toNumber('seed', values.seed ?? `${Date.now() % 1_000_000}`),
  };
}
