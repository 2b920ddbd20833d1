import { GatewayError } from '../../src/errors/gateway-error.ts';
import type { Scan } from '../../src/plan/adapter.ts';
import type { Coverage, RunsIndex, WriteReport } from '../../src/plan/runs-index.ts';
import type { RunQuery } from '../../src/query/run-query.ts';
import { Connection, type ConnectionOptions } from './connection.ts';
import * as state from './index-state.ts';
import { PromotedColumns } from './promoted-columns.ts';
import { createScan } from './run-scan.ts';
import { removeRuns, writeRuns } from './run-writer.ts';
import { isSetUp, removeBeside, removeOwn, setUp, setUpBeside, takePlace } from './set-up.ts';

export interface ElasticsearchOptions extends ConnectionOptions {
  /** Name of the alias, and what the names of the index and its other alias begin with. */
  readonly index: string;
  /** Copies of it on other nodes, when it is made; by default one as soon as there is a second node. */
  readonly replicas?: number | undefined;
}

/** Runs in Elasticsearch 8.13 or later, or 9. Connects when first asked. */
export const createElasticsearchIndex = (options: ElasticsearchOptions): RunsIndex => new ElasticsearchIndex(options);

class ElasticsearchIndex implements RunsIndex {
  readonly name = 'elasticsearch';
  readonly #options: ElasticsearchOptions;
  readonly #connection: Connection;
  readonly #alias: string;
  readonly #replicas: number | undefined;
  readonly #columns: PromotedColumns;
  #identity: string | undefined;
  /** The index whose place this one does not have yet. */
  #inUse: ElasticsearchIndex | undefined;
  #isReplaced = false;

  constructor(options: ElasticsearchOptions, inUse?: ElasticsearchIndex) {
    const { index, replicas, ...connection } = options;
    this.#options = options;
    this.#alias = index;
    this.#replicas = replicas;
    this.#connection = new Connection(connection);
    this.#columns = new PromotedColumns(this.#connection, () => this.#index);
    this.#inUse = inUse;
  }

  pushDown(query: RunQuery): Scan {
    this.#columns.want(query.order);
    return createScan(this.#connection, () => this.#index, query, this.#columns.known);
  }

  exists(): Promise<boolean> {
    return isSetUp(this.#connection, this.#alias);
  }

  async prepare(): Promise<void> {
    if (this.#isReplaced)
      throw new GatewayError('TEMPORARILY_UNAVAILABLE', 'Another Elasticsearch index has taken the place of this one.');
    const identity = this.#inUse
      ? await setUpBeside(this.#connection, this.#alias, this.#identity, this.#replicas)
      : await setUp(this.#connection, this.#alias, this.#replicas);
    if (identity !== this.#identity) this.#columns.forget();
    this.#identity = identity;
    await this.#columns.look();
  }

  async nextVersion(): Promise<number> {
    return state.nextVersion(this.#connection, this.#index);
  }

  async write(runs: readonly string[], version: number): Promise<WriteReport> {
    return writeRuns(this.#connection, this.#index, runs, version, this.#columns);
  }

  async remove(runIds: readonly string[], version: number): Promise<number> {
    return removeRuns(this.#connection, this.#index, runIds, version);
  }

  async refresh(): Promise<void> {
    const { _shards } = await this.#connection.ask((client, options) =>
      client.indices.refresh({ index: this.#index }, options),
    );
    if (_shards && _shards.failed > 0)
      throw new GatewayError('TEMPORARILY_UNAVAILABLE', 'A part of the Elasticsearch index was not refreshed.');
  }

  async beginEpoch(): Promise<number> {
    return state.beginEpoch(this.#connection, this.#index);
  }

  async epoch(): Promise<number> {
    return state.readEpoch(this.#connection, this.#index);
  }

  async recordCoverage(experimentIds: readonly string[], coverage: Coverage, epoch: number): Promise<void> {
    await state.recordCoverage(this.#connection, this.#index, experimentIds, { coverage, epoch });
  }

  async coverage(experimentIds: readonly string[], epoch: number): Promise<ReadonlyMap<string, Coverage>> {
    return state.readCoverage(this.#connection, this.#index, experimentIds, epoch);
  }

  async note(): Promise<string | undefined> {
    return state.readNote(this.#connection, this.#index);
  }

  async replaceNote(before: string | undefined, after: string | undefined): Promise<boolean> {
    return state.replaceNote(this.#connection, this.#index, before, after);
  }

  beside(): RunsIndex {
    return new ElasticsearchIndex(this.#options, this);
  }

  async takeOver(): Promise<void> {
    // Whatever becomes of the request: the other must not be led to this index.
    if (this.#inUse) this.#inUse.#isReplaced = true;
    await takePlace(this.#connection, this.#alias, this.#index);
    this.#inUse = undefined;
  }

  async destroy(): Promise<void> {
    if (this.#identity !== undefined) await removeOwn(this.#connection, this.#identity);
    else if (this.#inUse) await removeBeside(this.#connection, this.#alias);
  }

  async ping(): Promise<void> {
    await this.#connection.askAnyway((client, options) => client.indices.exists({ index: this.#alias }, options));
  }

  async close(): Promise<void> {
    await this.#connection.close();
  }

  /** @throws GatewayError before `prepare`. */
  get #index(): string {
    if (this.#identity !== undefined) return this.#identity;
    throw new GatewayError('TEMPORARILY_UNAVAILABLE', 'The Elasticsearch index is not prepared yet.');
  }
}
