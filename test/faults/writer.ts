import { setTimeout as sleep } from 'node:timers/promises';
import type { Run } from '../../src/domain/run.ts';
import type { Random } from '../fuzz/random.ts';
import { type Exchange, exchange } from './exchange.ts';
import type { History, PendingWrite, RunHistory } from './history.ts';
import { makeSearch } from './make-search.ts';
import { Searcher } from './searcher.ts';
import type { Soak } from './soak.ts';
import { makeCreation, makeWrite } from './writes.ts';

/** `perhaps`: it may have happened, or may still. */
type Outcome = 'done' | 'perhaps' | 'refused';

interface OpenRun {
  readonly history: RunHistory;
  /** Writes that are still to come. */
  left: number;
}

const MOST_OPEN = 3;
/** Share of writes that are looked for at once. */
const LOOKED_FOR = 0.1;
const AFTER_FAILURE_MS = 500;

/**
 * Writes to runs of its own, one write after the other, so that each run has one history. After a write whose end is not
 * known the run is left alone: what comes true later would come in between. Experiments that all writers share are never
 * deleted; each writer does that with one of its own.
 */
export class Writer {
  readonly #name: string;
  readonly #soak: Soak;
  readonly #random: Random;
  readonly #history: History;
  readonly #searcher: Searcher;
  readonly #shared: readonly string[];
  readonly #open: OpenRun[] = [];
  #own: string | undefined;
  #created = 0;

  constructor(name: string, soak: Soak, random: Random, shared: readonly string[]) {
    this.#name = name;
    this.#soak = soak;
    this.#random = random;
    this.#history = soak.history;
    this.#searcher = new Searcher(soak, random);
    this.#shared = shared;
  }

  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const outcome = await this.#step();
      await sleep(outcome === 'done' ? this.#random.int(0, 60) : AFTER_FAILURE_MS);
    }
  }

  async #step(): Promise<Outcome> {
    if (this.#own === undefined) return this.#createExperiment();
    if (this.#open.length < MOST_OPEN) return this.#createRun(this.#own);
    if (this.#random.chance(0.01)) return this.#deleteAndRestore(this.#own);
    const open = this.#random.pick(this.#open);
    return this.#random.chance(LOOKED_FOR) ? this.#writeAndLook(open) : this.#write(open);
  }

  /** The same search before and after: the cache would have the first answer. */
  async #writeAndLook(open: OpenRun): Promise<Outcome> {
    const plan = { ...makeSearch(this.#random, [open.history.experimentId]), pages: 1 };
    await this.#searcher.follow(plan);
    const outcome = await this.#write(open);
    await this.#searcher.follow(plan);
    return outcome;
  }

  async #createExperiment(): Promise<Outcome> {
    const name = `${this.#name}-${++this.#created}`;
    const answer = await this.#send('experiments/create', { name });
    if (answer.kind === 'answer' && answer.status === 200) {
      this.#own = (JSON.parse(answer.text) as { experiment_id: string }).experiment_id;
      this.#history.addExperiment(this.#own);
    }
    return this.#settle(answer, []);
  }

  async #createRun(own: string): Promise<Outcome> {
    const experimentId = this.#random.chance(0.25) ? own : this.#random.pick(this.#shared);
    const who = `${this.#name}-${++this.#created}`;
    const { path, body, next } = makeCreation(who, experimentId, this.#random);
    const history = this.#history.addRun(who, experimentId);
    const pending = history.begin(next, path);
    const answer = await this.#send(path, body);
    const outcome = this.#settle(answer, [pending]);
    if (outcome !== 'done' || answer.kind !== 'answer') return outcome;
    history.runId = (JSON.parse(answer.text) as { run: { info: { run_id: string } } }).run.info.run_id;
    this.#open.push({ history, left: this.#random.int(5, 60) });
    return outcome;
  }

  async #write(open: OpenRun): Promise<Outcome> {
    const { history } = open;
    const state = { ...(history.last as Run), runId: history.runId as string };
    const { path, body, next } = makeWrite(state, history.nextNumber(), this.#random);
    const pending = history.begin(next, path);
    const outcome = this.#settle(await this.#send(path, body), [pending]);
    if (--open.left <= 0 || outcome === 'perhaps') this.#open.splice(this.#open.indexOf(open), 1);
    return outcome;
  }

  async #deleteAndRestore(experiment_id: string): Promise<Outcome> {
    for (const [verb, lifecycleStage] of [
      ['delete', 'deleted'],
      ['restore', 'active'],
    ] as const) {
      const path = `experiments/${verb}`;
      let outcome: Outcome;
      do {
        const pending = this.#history
          .runsOf(experiment_id)
          .flatMap((run) => (run.last ? [run.begin({ ...run.last, lifecycleStage }, path)] : []));
        outcome = this.#settle(await this.#send(path, { experiment_id }), pending);
        if (outcome === 'refused') await sleep(AFTER_FAILURE_MS);
      } while (outcome === 'refused');
      if (outcome === 'perhaps') return this.#leaveExperiment(experiment_id);
      await sleep(this.#random.int(0, 500));
    }
    return 'done';
  }

  #leaveExperiment(experimentId: string): Outcome {
    this.#own = undefined;
    const kept = this.#open.filter(({ history }) => history.experimentId !== experimentId);
    this.#open.splice(0, this.#open.length, ...kept);
    return 'perhaps';
  }

  #send(path: string, body: object): Promise<Exchange> {
    return exchange(this.#soak.gateway, path, body);
  }

  #settle(answer: Exchange, pending: readonly PendingWrite[]): Outcome {
    const outcome: Outcome =
      answer.kind === 'answer' && answer.status === 200 ? 'done' : answer.kind === 'refused' ? 'refused' : 'perhaps';
    for (const write of pending) {
      if (outcome === 'done') write.acknowledge();
      else if (outcome === 'refused') write.withdraw();
      else write.doubt();
    }
    this.#soak.noteWrite(outcome, answer);
    return outcome;
  }
}
