import { beforeAll, describe, expect, inject, it } from 'vitest';
import type { Experiment, Run } from '../../src/domain/run.ts';
import { decodeRun, splitRuns } from '../../src/domain/run-text.ts';
import { evaluate, evaluateExperiment } from '../../src/query/evaluate.ts';
import { FilterSyntaxError } from '../../src/query/filter-syntax-error.ts';
import { compareRuns, totalOrder } from '../../src/query/order.ts';
import { compareExperiments, totalExperimentOrder } from '../../src/query/order-experiments.ts';
import { parseExperimentFilter, parseRunFilter } from '../../src/query/parse-filter.ts';
import { parseExperimentOrder, parseRunOrder } from '../../src/query/parse-order.ts';
import { postJson } from '../fixtures/post-json.ts';
import { createExperiments, loadRun, post } from '../fuzz/load-runs.ts';
import { makeExperimentSearch, makeExperiments } from '../fuzz/make-experiment-search.ts';
import { makeRuns } from '../fuzz/make-runs.ts';
import { makeSearch } from '../fuzz/make-search.ts';
import { Random } from '../fuzz/random.ts';

const mlflow = inject('mlflowUrl');
const SEED = 20;

async function search(path: string, body: object): Promise<{ status: number; text: string }> {
  const answer = await postJson(`${mlflow}/api/2.0/mlflow/${path}`, body);
  return { status: answer.status, text: await answer.text() };
}

/** What the parser says of a text: understood, or not. */
function understood<T>(parse: () => T): T | undefined {
  try {
    return parse();
  } catch (error) {
    if (error instanceof FilterSyntaxError) return undefined;
    throw error;
  }
}

describe('the evaluator and the ordering, held to MLflow', () => {
  const random = new Random(SEED);
  let experimentIds: string[];
  const runIds: string[] = [];
  let runs: Run[];

  beforeAll(async () => {
    experimentIds = await createExperiments(mlflow, 2, 'evaluate');
    for (const plan of makeRuns(random, 60, 2)) runIds.push(await loadRun(mlflow, plan, experimentIds));
    const all = { experiment_ids: experimentIds, run_view_type: 'ALL', max_results: 1000 };
    runs = splitRuns((await search('runs/search', all)).text).runs.map(decodeRun);
  });

  it('find the same runs in the same order', async () => {
    let compared = 0;
    for (let i = 0; i < 500; i++) {
      const { body } = makeSearch(random, { experimentIds, runIds });
      const { filter, order_by: orderBy = [] } = body as { filter: string; order_by: string[] };
      if (typeof filter !== 'string') continue;
      const query = understood(() => ({ filter: parseRunFilter(filter), order: totalOrder(parseRunOrder(orderBy)) }));
      if (!query) continue;
      const asked = {
        experiment_ids: experimentIds,
        filter,
        order_by: orderBy,
        run_view_type: 'ALL',
        max_results: 1000,
      };
      const { status, text } = await search('runs/search', asked);
      expect(status, `${filter} ${orderBy} is understood, so MLflow must take it: ${text}`).toBe(200);
      const expected = runs
        .filter((run) => !query.filter || evaluate(query.filter, run, 'sqlite'))
        .sort(compareRuns(query.order))
        .map(({ runId }) => runId);
      expect(
        splitRuns(text).runs.map((json) => decodeRun(json).runId),
        `${filter} ${orderBy}`,
      ).toEqual(expected);
      compared++;
    }
    expect(compared).toBeGreaterThan(300);
  }, 400_000);
});

interface WireExperiment {
  readonly experiment_id: string;
  readonly name: string;
  readonly lifecycle_stage: 'active' | 'deleted';
  readonly creation_time: number;
  readonly last_update_time: number;
  readonly tags?: readonly { key: string; value: string }[];
}

const toExperiment = (wire: WireExperiment): Experiment => ({
  experimentId: BigInt(wire.experiment_id),
  name: wire.name,
  lifecycleStage: wire.lifecycle_stage,
  creationTime: BigInt(wire.creation_time),
  lastUpdateTime: BigInt(wire.last_update_time),
  tags: new Map(wire.tags?.map(({ key, value }) => [key, value])),
});

const experimentsIn = (text: string) => (JSON.parse(text).experiments ?? []) as WireExperiment[];

describe('the evaluator and the ordering of experiments, held to MLflow', () => {
  const random = new Random(SEED);
  const label = `ex${process.pid}`;
  let experiments: Experiment[];

  beforeAll(async () => {
    for (const { name, tags, deleted } of makeExperiments(random, label, 25)) {
      const { experiment_id } = await post(mlflow, 'experiments/create', { name, tags });
      if (deleted) await post(mlflow, 'experiments/delete', { experiment_id });
    }
    const all = { filter: `name LIKE '${label}%'`, view_type: 'ALL', max_results: 1000 };
    experiments = experimentsIn((await search('experiments/search', all)).text).map(toExperiment);
  });

  it('find the same experiments in the same order', async () => {
    const ids = experiments.map(({ experimentId }) => String(experimentId));
    const times = experiments.flatMap(({ creationTime, lastUpdateTime }) => [
      Number(creationTime),
      Number(lastUpdateTime),
    ]);
    let compared = 0;
    for (let i = 0; i < 500; i++) {
      const { filter, order_by: orderBy = [] } = makeExperimentSearch(random, label, ids, times) as {
        filter: string;
        order_by: string[];
      };
      const query = understood(() => ({
        filter: parseExperimentFilter(filter),
        order: totalExperimentOrder(parseExperimentOrder(orderBy)),
      }));
      if (!query) continue;
      const asked = { filter, order_by: orderBy, view_type: 'ALL', max_results: 1000 };
      const { status, text } = await search('experiments/search', asked);
      expect(status, `${filter} ${orderBy} is understood, so MLflow must take it: ${text}`).toBe(200);
      const expected = experiments
        .filter((experiment) => !query.filter || evaluateExperiment(query.filter, experiment, 'sqlite'))
        .sort(compareExperiments(query.order))
        .map(({ experimentId }) => String(experimentId));
      expect(
        experimentsIn(text).map(({ experiment_id }) => experiment_id),
        `${filter} ${orderBy}`,
      ).toEqual(expected);
      compared++;
    }
    expect(compared).toBeGreaterThan(200);
  }, 400_000);
});
