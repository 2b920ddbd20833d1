import type { Run } from '../../src/domain/run.ts';
import { decodeRun } from '../../src/domain/run-text.ts';
import { BackendAnswer } from '../../src/plan/backend-answer.ts';
import type { RunReader } from '../../src/plan/run-reader.ts';
import type { Filter, Leaf } from '../../src/query/ast.ts';
import { printLeaf } from '../../src/query/print.ts';
import type { Requester } from '../../src/upstream/upstream-client.ts';
import { get, jsonOf, post } from './ask.ts';
import { fetchRuns, VIEW_TYPE } from './run-adapter.ts';

export interface RunReaderOptions {
  /** Most runs asked for at once: 1 to 50,000. */
  readonly pageSize?: number;
  /** Size of answer, in characters, that pages are fitted to: runs with thousands of metrics come fewer at a time. */
  readonly pageLength?: number;
}

const EXPERIMENTS_PAGE = 5_000;
const FIRST_PAGE_SIZE = 100;
/** What is read again and again must not hold up writes for long. */
const FILTERED_PAGE = 100;

/** Reads runs for a copy, deleted ones included. @throws BackendAnswer, GatewayError from every method. */
export function createRunReader(
  client: Requester,
  { pageSize = 1_000, pageLength = 8_000_000 }: RunReaderOptions = {},
): RunReader {
  return {
    experimentIds: async (signal) => [...(await readExperiments(client, signal)).keys()],
    experimentStages: (signal) => readExperiments(client, signal),
    experimentOf: (runId, signal) => readExperimentOf(client, runId, signal),
    readRuns: async (experimentId, runIds, signal) => {
      const filter = isOneOf(runIds);
      const page = { limit: Math.max(1, runIds.length), offset: 0 };
      return (await fetchRuns(client, searchAll([experimentId], filter), page, signal)).runs;
    },
    runsEndedAtZero: async (experimentId, runIds, signal) => {
      const filter = runIds ? `${ENDED_AT_ZERO} AND ${isOneOf(runIds)}` : ENDED_AT_ZERO;
      const page = { limit: 1_000, offset: 0 };
      const { runs } = await fetchRuns(client, searchAll([experimentId], filter), page, signal);
      return runs.map((text) => decodeRun(text).runId);
    },
    scanExperiment: (experimentId, signal, from) =>
      scan(client, [experimentId], [], { pageSize, pageLength, from }, signal),
    scanRuns: (experimentIds, filter, signal) => {
      const terms = filter ? termsOf(filter) : [];
      const size = filter ? Math.min(FILTERED_PAGE, pageSize) : pageSize;
      return scan(client, experimentIds, terms, { pageSize: size, pageLength }, signal);
    },
  };
}

const searchAll = (experimentIds: readonly string[], filter: string) => ({
  experiment_ids: experimentIds,
  filter,
  run_view_type: VIEW_TYPE.all,
});

/** MLflow knows no other filters. @throws TypeError for one that is more than tests of attributes, all to be true. */
function termsOf(filter: Filter): string[] {
  if (filter.kind === 'or' || filter.kind === 'not') throw new TypeError(`MLflow has no filter with ${filter.kind}.`);
  return filter.kind === 'and' ? filter.terms.flatMap(termsOf) : [printTest(filter)];
}

function printTest(leaf: Leaf): string {
  const text = printLeaf(leaf);
  if (text === undefined) throw new TypeError('A test of an attribute can always be printed.');
  return text;
}

/** A filter that finds these runs alone. */
export const isOneOf = (runIds: readonly string[]) =>
  printTest({ kind: 'member', field: { entity: 'attribute', key: 'run_id' }, values: runIds, negated: false });

const ENDED_AT_ZERO = printTest({
  kind: 'compare',
  field: { entity: 'attribute', key: 'end_time' },
  op: '=',
  value: 0n,
});

interface WireExperiments {
  readonly experiments?: readonly { readonly experiment_id: string; readonly lifecycle_stage: string }[];
  readonly next_page_token?: string;
}

/** Newest first: an experiment created meanwhile moves the rest back, so that some come twice and none is missed. */
async function readExperiments(client: Requester, signal: AbortSignal) {
  const stages = new Map<string, Run['lifecycleStage']>();
  for (let token: string | undefined = ''; token !== undefined; ) {
    const body = {
      view_type: VIEW_TYPE.all,
      max_results: EXPERIMENTS_PAGE,
      order_by: ['experiment_id DESC'],
      page_token: token,
    };
    const page = JSON.parse(jsonOf(await post(client, 'experiments/search', body, signal))) as WireExperiments;
    for (const { experiment_id, lifecycle_stage } of page.experiments ?? [])
      stages.set(experiment_id, lifecycle_stage === 'deleted' ? 'deleted' : 'active');
    token = page.next_page_token;
  }
  return stages;
}

async function readExperimentOf(client: Requester, runId: string, signal: AbortSignal) {
  // No run has such an id, and servers differ in how they say so.
  if (!/^[^\p{Cc}\p{Cs}]{1,256}$/u.test(runId)) return undefined;
  const answer = await get(client, 'runs/get', { run_id: runId }, signal);
  if (answer.status === 404 && isUnknownRun(answer.body)) return undefined;
  const { run } = JSON.parse(jsonOf(answer)) as { run?: { info?: { experiment_id?: string } } };
  if (run?.info?.experiment_id === undefined) throw new BackendAnswer(answer.status, 'application/json', answer.body);
  return run.info.experiment_id;
}

/** MLflow's own 404, not that of a proxy in between. */
function isUnknownRun(body: Buffer): boolean {
  try {
    const { error_code } = JSON.parse(body.toString('utf8')) as { error_code?: string };
    return error_code === 'RESOURCE_DOES_NOT_EXIST';
  } catch {
    return false;
  }
}

/**
 * Pages by start time: each page asks for runs no younger than the last one seen, so that deep pages cost what the first
 * one costs and runs created meanwhile shift nothing. Only where more runs than a page share one start time does it go
 * on by offset, among those.
 */
async function* scan(
  client: Requester,
  experimentIds: readonly string[],
  terms: readonly string[],
  { pageSize, pageLength, from }: Required<RunReaderOptions> & { readonly from?: bigint | undefined },
  signal: AbortSignal,
): AsyncGenerator<readonly string[]> {
  let limit = Math.min(FIRST_PAGE_SIZE, pageSize);
  let bound = from;
  let offset = 0;
  for (;;) {
    const tests = bound === undefined ? terms : [...terms, notAfter(bound)];
    const search = searchAll(experimentIds, tests.join(' AND '));
    const { runs, more, length } = await fetchRuns(client, search, { limit, offset }, signal);
    if (runs.length > 0) yield runs;
    const last = runs.at(-1);
    if (!more || last === undefined) return;
    const oldest = decodeRun(last).startTime;
    if (bound === undefined || oldest < bound) {
      bound = oldest;
      offset = 0;
    } else {
      offset += runs.length;
    }
    limit = fitLimit(runs.length, length, { pageSize, pageLength });
  }
}

const notAfter = (bound: bigint) =>
  printTest({ kind: 'compare', field: { entity: 'attribute', key: 'start_time' }, op: '<=', value: bound });

/** As many runs as should fill a page, going by the last one, and no jump: the next runs may be larger. */
function fitLimit(runs: number, length: number, { pageSize, pageLength }: Required<RunReaderOptions>): number {
  return Math.max(1, Math.min(pageSize, runs * 4, Math.floor((runs * pageLength) / length)));
}
