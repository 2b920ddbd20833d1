import { type ParseArgsOptionsConfig, parseArgs } from 'node:util';

const PARTS = ['search', 'proxy', 'store', 'backfill', 'feed'] as const;
type Part = (typeof PARTS)[number];

export interface BenchOptions {
  readonly runs: number;
  readonly samples: number;
  readonly seconds: number;
  readonly rounds: number;
  readonly only: Part | undefined;
  readonly json: string;
  readonly profile: string | undefined;
}

export const HELP = `Measures the gateway side by side with what it is compared to, both asked in turns, on real servers of its own:
searches against the same query sent raw to Elasticsearch, pass-through against a bare http-proxy-middleware, the
gateway's own store against MLflow on SQLite with the same runs, filling an index against reading the same pages, and
what it costs to keep an index up to date.
Prints a Markdown report. Absolute figures depend on the machine and on what else it does; the ratios count.

Usage: npm run bench -- [options]

  --runs N           runs in the index and in the stores (100000, at least 6000)
  --samples N        timed samples of each search and side (300); of MLflow, which is slow, as many as fit into 20 s
  --seconds N        length of a round of pass-through load or of logging (4)
  --rounds N         backfills of each index (3)
  --only PART        search, proxy, store, backfill or feed (all)
  --json FILE        where the figures go as JSON (bench/results/bench.json)
  --profile FOLDER   have the gateways write CPU profiles into this folder
  --help             print this text and stop
`;

const SPEC = {
  runs: { type: 'string', default: '100000' },
  samples: { type: 'string', default: '300' },
  seconds: { type: 'string', default: '4' },
  rounds: { type: 'string', default: '3' },
  only: { type: 'string' },
  json: { type: 'string', default: 'bench/results/bench.json' },
  profile: { type: 'string' },
  help: { type: 'boolean', default: false },
} satisfies ParseArgsOptionsConfig;

/** Searches go as far as page 50. */
const LEAST = { runs: 6_000, samples: 1, seconds: 1, rounds: 1 } as const;

function toCount(name: keyof typeof LEAST, text: string): number {
  const count = Number(text);
  if (Number.isSafeInteger(count) && count >= LEAST[name]) return count;
  throw new Error(`--${name} takes a whole number from ${LEAST[name]}, not ${text}`);
}

const isPart = (name: string | undefined): name is Part | undefined =>
  name === undefined || PARTS.some((part) => part === name);

/** @throws Error that says which option is wrong. Undefined when only help was asked. */
export function readOptions(args: readonly string[]): BenchOptions | undefined {
  const { values } = parseArgs({ args: [...args], options: SPEC });
  const { help, only, json, profile } = values;
  if (help) return undefined;
  if (!isPart(only)) throw new Error(`--only knows ${PARTS.join(', ')}, not ${only}`);
  return {
    runs: toCount('runs', values.runs),
    samples: toCount('samples', values.samples),
    seconds: toCount('seconds', values.seconds),
    rounds: toCount('rounds', values.rounds),
    only,
    json,
    profile,
  };
}
