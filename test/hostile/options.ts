import { type ParseArgsOptionsConfig, parseArgs } from 'node:util';

export interface HostileOptions {
  readonly seed: number;
  /** To each gateway. */
  readonly requests: number;
  /** Kind of requests that are sent alone; all by default. */
  readonly only: string | undefined;
}

export const HELP = `Malformed and hostile requests over raw sockets, to a gateway before an MLflow server with index and cache, and to
one without an upstream. Each must be answered in time and in MLflow's form, none by a crash, a hang or a 500 that
MLflow itself does not give. In between a known search must give the known answer. What fails is printed and makes the
exit code 1.

Usage: npm run hostile -- [options]

  --seed S        seed of the requests (1)
  --requests N    requests to each of the two gateways (5000)
  --only KIND     of one kind alone: framing, path, body, query, headers, mutated
  --help          print this text and stop
`;

const SPEC = {
  seed: { type: 'string', default: '1' },
  requests: { type: 'string', default: '5000' },
  only: { type: 'string' },
  help: { type: 'boolean', default: false },
} satisfies ParseArgsOptionsConfig;

function toCount(name: string, text: string): number {
  const count = Number(text);
  if (!Number.isSafeInteger(count) || count < 0) throw new Error(`--${name} takes a whole number, not ${text}`);
  return count;
}

/** @throws Error that says which option is wrong. Undefined when only help was asked. */
export function readOptions(args: readonly string[]): HostileOptions | undefined {
  const { values } = parseArgs({ args: [...args], options: SPEC });
  if (values.help) return undefined;
  return { seed: toCount('seed', values.seed), requests: toCount('requests', values.requests), only: values.only };
}
