import { type ParseArgsOptionsConfig, parseArgs } from 'node:util';

const PARTS = [
  'search',
  'mlflow',
  'scale',
  'wide',
  'workers',
  'growth',
  'hits',
  'redis-faults',
  'proxy',
  'store',
  'backfill',
  'feed',
  'reconcile',
] as const;
export type Part = (typeof PARTS)[number];

export interface BenchOptions {
  readonly runs: number;
  /** Of the part `wide`. */
  readonly wideRuns: number;
  readonly samples: number;
  readonly seconds: number;
  readonly rounds: number;
  /** Of the part `growth`. */
  readonly minutes: number;
  readonly only: Part | undefined;
  readonly json: string;
  /** Folder for figures; none are drawn without. */
  readonly svg: string | undefined;
  readonly profile: string | undefined;
}

export const HELP = `Measures the gateway side by side with what it is compared to, both asked in turns, on real servers of its own.
Both sides have to give the same runs before they are timed.

  search     searches against the same query sent raw to Elasticsearch
  mlflow     searches from an index and from caches against MLflow over PostgreSQL with the same runs; 16 clients at once,
             without and beside 50 writes a second
  scale      the same searches over a tenth of the runs and over all of them; deep pages
  wide       runs of 1,700 keys against as many narrow ones; a run of 12,000 metrics
  workers    16 clients through one process and through two
  growth     what the gateway holds over half an hour of load
  hits       answers from caches against Express alone that gives the same bytes
  redis-faults
             reads and writes while Redis is killed, paused, flushed and replaced
  proxy      pass-through against a bare http-proxy-middleware
  store      the gateway's own store against MLflow on SQLite with the same runs
  backfill   filling an index against reading the same pages
  feed       what it costs to keep an index up to date
  reconcile  how soon a write past the gateway is found

Prints a Markdown report. Absolute figures depend on the machine and on what else it does; the ratios count.

Usage: npm run bench -- [options]

  --only PART        one of the above (all)
  --runs N           runs in the indexes and in the stores (100000, at least 6000)
  --wide-runs N      runs of each kind in wide (7500, at least 500)
  --samples N        timed samples of each search and side (300); of MLflow, which is slow, as many as fit into 20 s
  --seconds N        length of a round of load or of logging (4)
  --rounds N         backfills of each index (3)
  --minutes N        length of growth (30)
  --json FILE        where the figures go as JSON (bench/results/bench.json)
  --svg FOLDER       draw mlflow and scale into this folder as well
  --profile FOLDER   have the gateways write CPU profiles into this folder
  --help             print this text and stop
`;

const SPEC = {
  runs: { type: 'string', default: '100000' },
  'wide-runs': { type: 'string', default: '7500' },
  samples: { type: 'string', default: '300' },
  seconds: { type: 'string', default: '4' },
  rounds: { type: 'string', default: '3' },
  minutes: { type: 'string', default: '30' },
  only: { type: 'string' },
  json: { type: 'string', default: 'bench/results/bench.json' },
  svg: { type: 'string' },
  profile: { type: 'string' },
  help: { type: 'boolean', default: false },
} satisfies ParseArgsOptionsConfig;

/** Searches go as far as page 50. */
export const FEWEST_RUNS = 6_000;
const LEAST = { runs: FEWEST_RUNS, 'wide-runs': 500, samples: 1, seconds: 1, rounds: 1, minutes: 1 } as const;

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
  const { help, only, json, svg, profile } = values;
  if (help) return undefined;
  if (!isPart(only)) throw new Error(`--only knows ${PARTS.join(', ')}, not ${only}`);
  return {
    runs: toCount('runs', values.runs),
    wideRuns: toCount('wide-runs', values['wide-runs']),
    samples: toCount('samples', values.samples),
    seconds: toCount('seconds', values.seconds),
    rounds: toCount('rounds', values.rounds),
    minutes: toCount('minutes', values.minutes),
    only,
    json,
    svg,
    profile,
  };
}
