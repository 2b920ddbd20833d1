import { setTimeout as sleep } from 'node:timers/promises';
import { decodeRun, splitRuns } from '../../src/domain/run-text.ts';
import { type Answer, ask, differenceOf, pageOf } from '../fuzz/compare-answers.ts';
import { post } from '../fuzz/load-runs.ts';
import type { Evidence } from './evidence.ts';
import { unexplained } from './explain-run.ts';
import type { History } from './history.ts';

const WITHIN_MS = 60_000;
const PAGE = 1_000;

/** Every experiment of the server. */
async function allExperiments(mlflow: string): Promise<string[]> {
  const { experiments } = await post(mlflow, 'experiments/search', { view_type: 'ALL', max_results: 10_000 });
  return (experiments as { experiment_id: string }[]).map(({ experiment_id }) => experiment_id);
}

let unique = 0;

/** Whether the index answers for these experiments. The filter is one of its own, so that no cache does. */
export async function isIndexed(gateway: string, experimentIds: readonly string[]): Promise<boolean> {
  const body = { experiment_ids: experimentIds, max_results: 1, filter: `attributes.start_time > ${++unique}` };
  return (await ask(gateway, body).catch(() => undefined))?.source === 'index';
}

/** Waits until the index answers for every experiment; gives the time it took in ms. Notes those that it does not. */
async function waitForIndex(gateway: string, experimentIds: readonly string[], evidence: Evidence): Promise<number> {
  const begin = performance.now();
  const left = new Set(experimentIds);
  while (left.size > 0 && performance.now() - begin < WITHIN_MS) {
    for (const id of left) if (await isIndexed(gateway, [id])) left.delete(id);
    if (left.size > 0) await sleep(500);
  }
  if (left.size > 0) {
    const status = await (await fetch(`${gateway}/gateway/status`)).json();
    evidence.add(`The index does not answer for experiments ${[...left]} within a minute.`, { status });
  }
  return performance.now() - begin;
}

/** All pages of an experiment, deleted runs too. */
async function readAll(base: string, experimentId: string): Promise<Answer[]> {
  const answers: Answer[] = [];
  for (let page_token: string | undefined; ; ) {
    const filter = `attributes.start_time > ${++unique}`;
    const body = { experiment_ids: [experimentId], run_view_type: 'ALL', filter, max_results: PAGE, page_token };
    const answer = await ask(base, body);
    answers.push(answer);
    page_token = pageOf(answer).next_page_token;
    if (page_token === undefined) return answers;
  }
}

export interface Ends {
  readonly mlflow: string;
  readonly gateway: string;
  /** Absent: every one of the server. */
  readonly experimentIds?: readonly string[];
}

/**
 * With every service up and nobody writing: nothing acknowledged is lost, the index answers again, and it answers as
 * MLflow does. Gives the time until the index answered, in ms.
 */
export async function checkTheEnd(ends: Ends, history: History, evidence: Evidence): Promise<number> {
  const { mlflow, gateway, experimentIds = await allExperiments(mlflow) } = ends;
  const tookMs = await waitForIndex(gateway, experimentIds, evidence);
  const now = performance.now();
  const found = new Set<unknown>();
  for (const id of experimentIds) {
    const [truth, answers] = [await readAll(mlflow, id), await readAll(gateway, id)];
    for (const [i, expected] of truth.entries()) {
      const actual = answers[i];
      const problem = actual ? differenceOf(expected, actual) : 'a page is missing';
      if (problem) evidence.add(`At the end, experiment ${id} (${actual?.source}): ${problem}`, { expected, actual });
    }
    for (const text of truth.flatMap((answer) => splitRuns(answer.text).runs)) {
      const run = decodeRun(text);
      const known = history.of(run);
      const problem = known ? unexplained(run, known, known.statesBetween(now, now)) : 'Nobody wrote it.';
      if (problem) evidence.add(`At the end MLflow has run ${run.runId}: ${problem}`, { text, history: known });
      if (known && found.has(known)) evidence.add(`At the end MLflow has ${known.who} twice.`, { text });
      found.add(known);
    }
  }
  for (const run of history.runs)
    if (!found.has(run) && !run.mayBeAbsentAt(now))
      evidence.add(`At the end MLflow lacks ${run.who}.`, { history: run });
  return tookMs;
}
