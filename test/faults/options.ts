import { type ParseArgsOptionsConfig, parseArgs } from 'node:util';
import { oneOf } from '../fixtures/one-of.ts';
import { toNumber } from '../fixtures/to-number.ts';

/** What can be killed or paused; of a cluster, one node at a time. */
export const TARGETS = ['elasticsearch', 'redis', 'mlflow', 'gateway'] as const;
export type TargetName = (typeof TARGETS)[number];

export interface FaultsOptions {
  readonly minutes: number;
  readonly seed: number;
  /** Behind each other's back they write and search. */
  readonly gateways: number;
  readonly index: 'elasticsearch' | 'sqlite';
  /** Of Elasticsearch. */
  readonly nodes: number;
  readonly backend: 'sqlite' | 'postgresql';
  readonly writers: number;
  readonly searchers: number;
  /** What faults strike: empty for none. */
  readonly targets: readonly TargetName[];
}

export const HELP = `Writers and searchers work through gateways while what these depend on, and they themselves, are killed
or paused at random and come back. Lost writes and answers that no state of the runs explains make the exit code 1.

Usage: npm run faults -- [options]

  --minutes N        how long (10)
  --seed S           seed of what is written, searched and struck (the time of day)
  --gateways N       gateways that share the index, which is Elasticsearch's then (1)
  --index NAME       index of the gateway: elasticsearch or sqlite (elasticsearch)
  --nodes N          nodes of Elasticsearch, with one replica when there are several (1)
  --backend NAME     database below MLflow: sqlite or postgresql (sqlite)
  --writers N        (8)
  --searchers N      (4)
  --only NAME        strike only this: ${TARGETS.join(', ')}; may be repeated
  --calm             strike nothing
  --help             print this text and stop
`;

const SPEC = {
  minutes: { type: 'string', default: '10' },
  seed: { type: 'string' },
  gateways: { type: 'string', default: '1' },
  index: { type: 'string', default: 'elasticsearch' },
  nodes: { type: 'string', default: '1' },
  backend: { type: 'string', default: 'sqlite' },
  writers: { type: 'string', default: '8' },
  searchers: { type: 'string', default: '4' },
  only: { type: 'string', multiple: true, default: [...TARGETS] },
  calm: { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
} satisfies ParseArgsOptionsConfig;

/** @throws Error that says which option is wrong. Undefined when only help was asked. */
export function readOptions(args: readonly string[]): FaultsOptions | undefined {
  const { values } = parseArgs({ args: [...args], options: SPEC });
  if (values.help) return undefined;
  const index = oneOf('index', ['elasticsearch', 'sqlite'], values.index);
  if (values.gateways !== '1' && index === 'sqlite') throw new Error('--gateways: an index in SQLite is kept by one');
  const only = values.only.map((name) => oneOf('only', TARGETS, name));
  return {
    minutes: toNumber('minutes', values.minutes),
    seed: toNumber('seed', values.seed ?? `${Date.now() % 1_000_000}`),
    gateways: Math.max(1, toNumber('gateways', values.gateways)),
    index,
    nodes: Math.max(1, toNumber('nodes', values.nodes)),
    backend: oneOf('backend', ['sqlite', 'postgresql'], values.backend),
    writers: toNumber('writers', values.writers),
    searchers: toNumber('searchers', values.searchers),
    targets: values.calm ? [] : only.filter((name) => name !== 'elasticsearch' || index === 'elasticsearch'),
  };
}
