import { lru } from '../domain/lru.ts';
import type { FeedJournal } from '../plan/feed-journal.ts';
import type { RunsIndex } from '../plan/runs-index.ts';

export interface CoverageOptions {
  readonly journal: FeedJournal;
  /** How long the index's word that an experiment is complete is taken, in ms. */
  readonly trustMs: number;
  /** How long its word that one is not, in ms. */
  readonly distrustMs: number;
  /** The index is in another epoch than ours: a later one began, or it is another index. */
  onForeignEpoch(ours: number, current: number): void;
}

interface Told {
  readonly complete: boolean;
  /** In ms of `performance.now()`. */
  readonly at: number;
}

/**
 * Which experiments the index holds whole. The index keeps the record; what happened since stands here and weighs more:
 * a doubt takes effect at once, whatever the index says, until a copy made after it is recorded.
 */
export class ExperimentCoverage {
  readonly #index: Pick<RunsIndex, 'epoch' | 'coverage'>;
  readonly #options: CoverageOptions;
  /** Bounded, since clients ask for ids that do not exist too; what is forgotten is asked again. */
  readonly #told = lru<string, Told>(200_000);
  /** Whether this gateway noted the doubt itself, or heard of it. */
  readonly #doubted = new Map<string, 'noted' | 'heard'>();
  readonly #doubts = new Map<string, number>();
  /** How far experiments are copied that are not complete yet. */
  readonly #copiedTo: Map<string, bigint>;
  #epoch: number | undefined;

  constructor(index: Pick<RunsIndex, 'epoch' | 'coverage'>, options: CoverageOptions) {
    this.#index = index;
    this.#options = options;
    this.#copiedTo = new Map(options.journal.unfinished.copiedTo);
  }

  /** The epoch that completeness counts in; undefined while none does. */
  get epoch(): number | undefined {
    return this.#epoch;
  }

  /** How many experiments are known to be complete. */
  get completeCount(): number {
    return [...this.#told.entries()].filter(([id, { complete }]) => complete && !this.#doubted.has(id)).length;
  }

  /** What was complete is not any more; what was doubted still is. */
  begin(epoch: number): void {
    const { journal } = this.#options;
    this.#forget();
    if (epoch !== journal.unfinished.epoch) this.#copiedTo.clear();
    this.#epoch = epoch;
    journal.begin(epoch);
  }

  /** From now on nothing is complete. */
  end(): void {
    this.#forget();
    this.#options.journal.end();
  }

  #forget(): void {
    this.#epoch = undefined;
    this.#told.clear();
  }

  /** The experiment is not complete until a copy of it that begins after this is confirmed. */
  doubt(experimentId: string, by: 'noted' | 'heard' = 'noted'): void {
    this.#doubts.set(experimentId, (this.#doubts.get(experimentId) ?? 0) + 1);
    this.#forgetCopiedTo(experimentId);
    if (by === 'noted') this.#options.journal.noteExperiment(experimentId);
    if (this.#doubted.get(experimentId) !== 'noted') this.#doubted.set(experimentId, by);
  }

  get doubted(): readonly string[] {
    return [...this.#doubted.keys()];
  }

  /** Another gateway copied the experiment after it was doubted: the index has the word again. */
  trust(experimentId: string): void {
    if (this.#remove(experimentId)) this.#told.delete(experimentId);
  }

  /** What was doubted in another epoch is copied in this one like all others. */
  forgetDoubts(except: ReadonlySet<string>): void {
    for (const id of [...this.#doubted.keys()]) if (!except.has(id)) this.#remove(id);
  }

  #remove(experimentId: string): boolean {
    if (this.#doubted.get(experimentId) === 'noted') this.#options.journal.forgetExperiment(experimentId);
    return this.#doubted.delete(experimentId);
  }

  isDoubted(experimentId: string): boolean {
    return this.#doubted.has(experimentId);
  }

  /** Begins to watch an experiment; the result says whether there was neither a doubt nor another epoch since. */
  watch(experimentId: string): () => boolean {
    const epoch = this.#epoch;
    const doubts = this.#doubts.get(experimentId);
    return () => this.#epoch === epoch && this.#doubts.get(experimentId) === doubts;
  }

  /** Where to go on with a copy, newest first, that nothing has made void: at the runs that started then. */
  copiedTo(experimentId: string): bigint | undefined {
    return this.#copiedTo.get(experimentId);
  }

  /** The index has taken all runs that started later, read since this epoch and the last doubt began. */
  noteCopiedTo(experimentId: string, startTime: bigint): void {
    this.#copiedTo.set(experimentId, startTime);
    this.#options.journal.noteCopiedTo(experimentId, startTime);
  }

  #forgetCopiedTo(experimentId: string): void {
    if (this.#copiedTo.delete(experimentId)) this.#options.journal.forgetCopiedTo(experimentId);
  }

  /** A copy that was watched from before its beginning is recorded in the index. @returns whether it ended a doubt */
  confirm(experimentId: string): boolean {
    this.#forgetCopiedTo(experimentId);
    this.#told.set(experimentId, { complete: true, at: performance.now() });
    return this.#remove(experimentId);
  }

  /** Whether all are complete as far as is known here; undefined when the index has to be asked. */
  isComplete(experimentIds: Iterable<string>): boolean | undefined {
    if (this.#epoch === undefined) return false;
    let known: true | undefined = true;
    for (const id of experimentIds) {
      const complete = this.#doubted.has(id) ? false : this.#recall(id);
      if (complete === false) return false;
      known = complete && known;
    }
    return known;
  }

  #recall(experimentId: string): boolean | undefined {
    const told = this.#told.get(experimentId);
    if (!told) return undefined;
    const { trustMs, distrustMs } = this.#options;
    return performance.now() - told.at < (told.complete ? trustMs : distrustMs) ? told.complete : undefined;
  }

  /** The last word on all of them, however old it is. */
  wasComplete(experimentIds: Iterable<string>): boolean {
    if (this.#epoch === undefined) return false;
    for (const id of experimentIds) if (this.#doubted.has(id) || !this.#told.get(id)?.complete) return false;
    return true;
  }

  /** As `isComplete`, after asking the index for what is not known. @throws what the index throws. */
  async check(experimentIds: ReadonlySet<string>): Promise<boolean> {
    const known = this.isComplete(experimentIds);
    if (known !== undefined) return known;
    return (
      (await this.#ask([...experimentIds].filter((id) => this.#recall(id) === undefined))) &&
      this.wasComplete(experimentIds)
    );
  }

  /** Those of the experiments that are complete now. @throws what the index throws. */
  async findComplete(experimentIds: readonly string[]): Promise<string[]> {
    return (await this.#ask(experimentIds)) ? experimentIds.filter((id) => this.wasComplete([id])) : [];
  }

  /** False when there is no epoch any more. */
  async #ask(asked: readonly string[]): Promise<boolean> {
    const epoch = this.#epoch;
    if (epoch === undefined) return false;
    const at = performance.now();
    const [current, coverage] = await Promise.allSettled([this.#index.epoch(), this.#index.coverage(asked, epoch)]);
    if (this.#epoch !== epoch) return false;
    // Of an index that was deleted the epoch alone can be read.
    if (resultOf(current) !== epoch) {
      this.end();
      this.#options.onForeignEpoch(epoch, resultOf(current));
      return false;
    }
    const found = resultOf(coverage);
    for (const id of asked) this.#told.set(id, { complete: found.get(id) === 'complete', at });
    return true;
  }
}

function resultOf<T>(outcome: PromiseSettledResult<T>): T {
  if (outcome.status === 'rejected') throw outcome.reason;
  return outcome.value;
}
