import { LRUCache } from 'lru-cache';
import { SingleFlight } from '../cache/single-flight.ts';
import type { BackendCaller } from '../plan/backend-caller.ts';
import type { PermissionProbe } from '../plan/permission-probe.ts';
import { namesModels } from './model-links.ts';

export interface PermissionsOptions {
  readonly probe: PermissionProbe;
  /** How long the backend's word is taken, in ms. */
  readonly maxAgeMs: number;
  /** Any run of an experiment, whatever its stage, as of now; undefined when it has none. */
  anyRunOf(experimentId: string, signal: AbortSignal): Promise<string | undefined>;
  /** Whether the backend still has a run, as it says itself now. */
  hasRun(runId: string, experimentId: string, signal: AbortSignal): Promise<boolean>;
}

const MAX_WORDS = 50_000;
const MAX_EXPERIMENTS = 10_000;
/** Experiments that are asked for at once. */
const MAX_ASKED = 100;

type Verdicts = ReadonlyMap<string, boolean>;

/**
 * What callers may read, as the backend says when it is asked with their own credentials. Experiments are what MLflow gives
 * rights to; so what it does with one run of an experiment, it does with all. Its word is taken for a while, and no longer
 * than until `forget`. All methods throw GatewayError when the backend cannot be asked.
 */
export class Permissions {
  readonly #options: PermissionsOptions;
  readonly #words: LRUCache<string, boolean>;
  /** A run of each experiment to ask about. */
  readonly #runs = new LRUCache<string, string>({ max: MAX_EXPERIMENTS });
  readonly #searches = new SingleFlight<Verdicts | undefined>();
  readonly #questions = new SingleFlight<boolean | undefined>();
  /** Of the last `forget`: answers to what was asked before are of no use after. */
  #epoch = 0;

  constructor(options: PermissionsOptions) {
    this.#options = options;
    this.#words = new LRUCache({ maxSize: MAX_WORDS, sizeCalculation: () => 1, ttl: options.maxAgeMs });
  }

  /** Those of the experiments whose runs a search of the caller's finds; undefined when that cannot be told. */
  async searchable(
    caller: BackendCaller,
    experimentIds: readonly string[],
    signal: AbortSignal,
  ): Promise<readonly string[] | undefined> {
    const known = new Map(experimentIds.map((id) => [id, this.#words.get(wordOf(caller, 'search', id))]));
    const unknown = experimentIds.filter((id) => known.get(id) === undefined);
    if (unknown.length > MAX_ASKED) return undefined;
    const asked = unknown.length > 0 ? await this.#askForSearches(caller, unknown, signal) : NONE;
    return asked && experimentIds.filter((id) => known.get(id) ?? asked.get(id));
  }

  /** Whether the caller may read the runs of an experiment, of which this is one. */
  mayReadRuns(
    caller: BackendCaller,
    experimentId: string,
    runId: string,
    signal: AbortSignal,
  ): Promise<boolean | undefined> {
    return this.#ask(wordOf(caller, 'run', experimentId), signal, async (flight) => {
      const run = await this.#options.probe.readRun(caller, runId, flight);
      return run === undefined ? undefined : run !== false;
    });
  }

  mayReadExperiment(caller: BackendCaller, experimentId: string, signal: AbortSignal): Promise<boolean | undefined> {
    return this.#ask(wordOf(caller, 'experiment', experimentId), signal, (flight) =>
      this.#options.probe.mayReadExperiment(caller, experimentId, flight),
    );
  }

  /**
   * Whether the caller is shown which logged models runs are linked with: of all runs or of none.
   * @param runId a run that has such links; without one, only what is known already is told
   */
  async seesModels(
    caller: BackendCaller,
    runId: string | undefined,
    signal: AbortSignal,
  ): Promise<boolean | undefined> {
    const word = wordOf(caller, 'models', '');
    if (runId === undefined) return this.#words.get(word);
    return this.#ask(word, signal, async (flight) => {
      const run = await this.#options.probe.readRun(caller, runId, flight);
      return run ? namesModels(JSON.parse(run).run) : undefined;
    });
  }

  /** Rights may have changed: what was learnt before counts no more. */
  forget(): void {
    this.#epoch++;
    this.#words.clear();
  }

  async #ask(
    word: string,
    signal: AbortSignal,
    ask: (signal: AbortSignal) => Promise<boolean | undefined>,
  ): Promise<boolean | undefined> {
    const epoch = this.#epoch;
    return (
      this.#words.get(word) ??
      this.#questions.join(`${epoch} ${word}`, signal, async (flight) => {
        const start = performance.now();
        const verdict = await ask(flight);
        if (verdict !== undefined) this.#learn(new Map([[word, verdict]]), epoch, start);
        return verdict;
      })
    );
  }

  #askForSearches(caller: BackendCaller, experimentIds: readonly string[], signal: AbortSignal) {
    const epoch = this.#epoch;
    return this.#searches.join(`${epoch} ${caller.id} ${experimentIds}`, signal, async (flight) => {
      const runs = await this.#runsOf(experimentIds, flight);
      const start = performance.now();
      const verdicts = await this.#verdictsOf(caller, runs, flight);
      const words = [...(verdicts ?? [])].map(([id, may]): [string, boolean] => [wordOf(caller, 'search', id), may]);
      this.#learn(new Map(words), epoch, start);
      return verdicts;
    });
  }

  /** Experiments without a run are left out: now a search finds nothing there, and nothing is learnt for later. */
  async #runsOf(experimentIds: readonly string[], signal: AbortSignal): Promise<ReadonlyMap<string, string>> {
    const found = await Promise.all(
      experimentIds.map(async (id): Promise<[run: string | undefined, experimentId: string]> => {
        const runId = this.#runs.get(id) ?? (await this.#options.anyRunOf(id, signal));
        if (runId !== undefined) this.#runs.set(id, runId);
        return [runId, id];
      }),
    );
    return new Map(found.filter((pair): pair is [string, string] => pair[0] !== undefined));
  }

  async #verdictsOf(
    caller: BackendCaller,
    runs: ReadonlyMap<string, string>,
    signal: AbortSignal,
  ): Promise<Verdicts | undefined> {
    const found = runs.size > 0 ? await this.#options.probe.searchRuns(caller, runs, signal) : new Set<string>();
    if (!found) return undefined;
    const missing = [...runs].filter(([runId]) => !found.has(runId));
    const isThere = await Promise.all(missing.map(([runId, id]) => this.#options.hasRun(runId, id, signal)));
    const gone = missing.filter((_, i) => !isThere[i]);
    for (const [, id] of gone) this.#runs.delete(id);
    if (gone.length > 0) return undefined;
    return new Map([...runs].map(([runId, id]) => [id, found.has(runId)]));
  }

  #learn(words: ReadonlyMap<string, boolean>, epoch: number, start: number): void {
    if (epoch !== this.#epoch) return;
    for (const [word, verdict] of words) this.#words.set(word, verdict, { start });
  }
}

const NONE: Verdicts = new Map();

const wordOf = ({ id }: BackendCaller, kind: string, experimentId: string) => `${id} ${kind} ${experimentId}`;
