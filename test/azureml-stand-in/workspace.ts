import type { AsyncBatches } from './async-batches.ts';
import { type AzureError, plainError, refusal } from './azure-error.ts';
import type { BlobStore } from './blob-store.ts';
import type { Caller, Callers } from './callers.ts';
import { toExperimentNumber } from './ids.ts';
import { type MlflowBehind, MlflowRefusal } from './mlflow-behind.ts';
import type { PageTokens } from './page-tokens.ts';
import type { Rules } from './rules.ts';

export type Version = 'v1.0' | 'v2.0';

/** What an endpoint is asked. */
export interface Call {
  readonly version: Version;
  readonly method: string;
  /** After `/api/2.0/mlflow/`; of another API, after `/api/`. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly body: Readonly<Record<string, unknown>>;
  readonly caller: Caller;
}

/** Gives what goes into the body of the answer; undefined: an empty object. */
export type Endpoint = (call: Call, workspace: Workspace) => Promise<unknown>;

type WorkspaceParts = Pick<Workspace, Exclude<keyof Workspace, `${string}xperiment${string}`>>;

/** One Azure ML workspace over one MLflow server. */
export class Workspace {
  readonly rules: Rules;
  readonly scope: string;
  /** With its port. */
  readonly host: string;
  readonly mlflow: MlflowBehind;
  readonly callers: Callers;
  readonly pageTokens: PageTokens;
  readonly asyncBatches: AsyncBatches;
  readonly blobs: BlobStore;
  /** From 0 to below 1. */
  readonly random: () => number;
  readonly #names = new Map<string, Promise<string>>();

  constructor(parts: WorkspaceParts) {
    this.rules = parts.rules;
    this.scope = parts.scope;
    this.host = parts.host;
    this.mlflow = parts.mlflow;
    this.callers = parts.callers;
    this.pageTokens = parts.pageTokens;
    this.asyncBatches = parts.asyncBatches;
    this.blobs = parts.blobs;
    this.random = parts.random;
  }

  /**
   * The number by which MLflow knows the experiment that a request names.
   * @throws AzureError when there is none.
   */
  async experimentNumber(id: unknown): Promise<string> {
    const number = this.#numberOf(id);
    if (await this.#exists(number)) return number;
    throw noSuchExperiment(id);
  }

  /** Those of a search. What cannot be an id is refused; what is no experiment is refused or left out, as the rules say. */
  async experimentNumbers(ids: readonly unknown[]): Promise<string[]> {
    const numbers: string[] = [];
    for (const id of ids) {
      const number = this.#isGuidOfNone(id) ? undefined : this.#numberOf(id);
      if (number !== undefined && (await this.#exists(number))) numbers.push(number);
      else if (this.rules.unknownExperimentsRefused) throw noSuchExperiment(id);
    }
    return numbers;
  }

  /** Remembered until it is forgotten. @throws MlflowRefusal when there is none. */
  experimentName(number: string): Promise<string> {
    const known = this.#names.get(number);
    if (known !== undefined) return known;
    const name = this.#readName(number);
    this.#names.set(number, name);
    name.catch(() => this.forgetExperiment(number));
    return name;
  }

  forgetExperiment(number: string): void {
    this.#names.delete(number);
  }

  #numberOf(id: unknown): string {
    if (typeof id !== 'string' || id === '') throw refusal("Required parameter 'experiment_id' is missing.");
    if (id === '0' && this.rules.zeroIsDefault) return '0';
    const number = toExperimentNumber(id);
    if (number !== undefined) return number;
    if (this.#isGuidOfNone(id)) throw noSuchExperiment(id);
    if (/^\d+$/.test(id) && id !== '0' && !this.rules.experimentIdsAreGuids) return id;
    throw refusal(`Invalid experiment id '${id}'.`);
  }

  #isGuidOfNone(id: unknown): boolean {
    return typeof id === 'string' && /^[0-9a-f-]{36}$/i.test(id) && toExperimentNumber(id) === undefined;
  }

  #exists(number: string): Promise<boolean> {
    return this.experimentName(number).then(
      () => true,
      (error: unknown) => {
        if (error instanceof MlflowRefusal && error.status < 500) return false;
        throw error;
      },
    );
  }

  async #readName(number: string): Promise<string> {
    const query = { experiment_id: number };
    const { experiment } = await this.mlflow.get<{ experiment: { name: string } }>('experiments/get', query);
    return experiment.name;
  }
}

const noSuchExperiment = (id: unknown): AzureError =>
  plainError(404, 'RESOURCE_DOES_NOT_EXIST', `Experiment with id=${id} not found`);
