import type { DatabaseSync } from 'node:sqlite';
import type { Run } from '../../src/domain/run.ts';
import { decodeRun } from '../../src/domain/run-text.ts';
import type { Coverage, RejectedRun, WriteReport } from '../../src/plan/runs-index.ts';
import { transact } from './database.ts';
import { isStorable } from './push-down.ts';
import { DROP_EPOCH_TABLES, EPOCH_TABLES, REMOVALS } from './schema.ts';
import { sql } from './sql.ts';
import { Statements } from './statements.ts';

/** The writing side of a runs index, over one connection. Every function is one transaction. */
export class IndexWriter {
  readonly #database: DatabaseSync;
  readonly #statements: Statements;

  constructor(database: DatabaseSync) {
    this.#database = database;
    this.#statements = new Statements(database);
  }

  nextVersion(): number {
    return this.#increment('version');
  }

  /** Begins with nothing: runs that the backend lost meanwhile, and its earlier readings, are gone. */
  beginEpoch(): number {
    return transact(this.#database, () => {
      this.#database.exec(DROP_EPOCH_TABLES + EPOCH_TABLES + REMOVALS);
      // Of two index files no epoch is the same.
      return this.#increment('epoch', Date.now());
    });
  }

  epoch(): number {
    return Number(this.#statements.value(sql`SELECT value FROM counters WHERE name = 'epoch'`) ?? 0);
  }

  /** A run that is there at this version or a newer one stays as it is. */
  write(texts: readonly string[], version: number): WriteReport {
    const report = { written: 0, stale: 0, rejected: [] as RejectedRun[] };
    transact(this.#database, () => {
      for (const text of texts) {
        const run = decodeRun(text);
        const reason = problemWith(run);
        if (reason) report.rejected.push({ runId: run.runId, experimentId: run.experimentId, reason });
        else report[this.#put(run, text, version) ? 'written' : 'stale']++;
      }
    });
    return report;
  }

  /** What is there at this version or a newer one stays. @returns how many are out. */
  remove(runIds: readonly string[], version: number): number {
    return transact(this.#database, () => runIds.filter((runId) => this.#remove(runId, version)).length);
  }

  /** Neither a record of a later epoch nor, in the same epoch, that an experiment is excluded, is ever replaced. */
  recordCoverage(experimentIds: readonly string[], coverage: Coverage, epoch: number): void {
    const excluded = coverage === 'excluded' ? 1 : 0;
    transact(this.#database, () => {
      for (const id of experimentIds)
        this.#statements.run(sql`
          INSERT INTO coverage VALUES (${id}, ${epoch}, ${excluded})
          ON CONFLICT DO UPDATE SET epoch = excluded.epoch, excluded = excluded.excluded
          WHERE coverage.epoch < excluded.epoch OR (coverage.epoch = excluded.epoch AND coverage.excluded = 0)`);
    });
  }

  coverage(experimentIds: readonly string[], epoch: number): ReadonlyMap<string, Coverage> {
    const rows = this.#statements.all<{ experiment_id: string; excluded: bigint }>(sql`
      SELECT experiment_id, excluded FROM coverage
      WHERE epoch = ${epoch} AND experiment_id IN (SELECT value FROM json_each(${JSON.stringify(experimentIds)}))`);
    return new Map(rows.map((row) => [row.experiment_id, row.excluded ? 'excluded' : 'complete']));
  }

  note(): string | undefined {
    return this.#statements.value(sql`SELECT text FROM notes`) as string | undefined;
  }

  /** False when the note is not `before` any more. */
  replaceNote(before: string | undefined, after: string | undefined): boolean {
    return transact(this.#database, () => {
      if (this.note() !== before) return false;
      if (after === undefined) this.#statements.run(sql`DELETE FROM notes`);
      else this.#statements.run(sql`INSERT OR REPLACE INTO notes VALUES (1, ${after})`);
      return true;
    });
  }

  #increment(name: 'version' | 'epoch', first = 1): number {
    return Number(
      this.#statements.value(sql`
        INSERT INTO counters VALUES (${name}, ${first}) ON CONFLICT DO UPDATE SET value = value + 1 RETURNING value`),
    );
  }

  #remove(runId: string, version: number): boolean {
    const found = this.#find(runId);
    if (found && found.version >= version) return false;
    if (found?.id) this.#statements.run(sql`DELETE FROM runs WHERE id = ${found.id}`);
    this.#statements.run(sql`INSERT OR REPLACE INTO removals VALUES (${runId}, ${version})`);
    return true;
  }

  /** What is known of a run, without an id when it was taken out. */
  #find(runId: string): { id: bigint | null; version: bigint } | undefined {
    return this.#statements.get(sql`
      SELECT id, version FROM runs JOIN versions ON versions.run = runs.id WHERE run_id = ${runId}
      UNION ALL SELECT NULL, version FROM removals WHERE run_id = ${runId}`);
  }

  #put(run: Run, text: string, version: number): boolean {
    const found = this.#find(run.runId);
    if (found && found.version >= version) return false;
    if (found)
      this.#statements.run(sql`DELETE FROM ${found.id ? sql`runs` : sql`removals`} WHERE run_id = ${run.runId}`);
    const id = this.#statements.value(sql`
      INSERT INTO runs (id, run_id, experiment_id, stage, start_time, end_time, name, status, user_id, artifact_uri)
      VALUES (${found?.id ?? null}, ${run.runId}, ${run.experimentId}, ${run.lifecycleStage},
        ${run.startTime}, ${run.endTime ?? null}, ${run.runName ?? null}, ${run.status ?? null},
        ${run.userId ?? null}, ${run.artifactUri ?? null})
      RETURNING id`) as bigint;
    this.#putParts(id, run);
    this.#statements.run(sql`INSERT INTO run_texts VALUES (${id}, ${text})`);
    this.#statements.run(sql`INSERT INTO versions VALUES (${id}, ${version})`);
    return true;
  }

  #putParts(id: bigint, { metrics, params, tags, datasets }: Run): void {
    const statements = this.#statements;
    for (const [key, value] of metrics) {
      const nan = Number.isNaN(value);
      statements.run(sql`INSERT INTO metrics VALUES (${id}, ${key}, ${nan ? 0 : value}, ${nan ? 1 : 0})`);
    }
    for (const [key, value] of params) statements.run(sql`INSERT INTO params VALUES (${id}, ${key}, ${value})`);
    for (const [key, value] of tags) statements.run(sql`INSERT INTO tags VALUES (${id}, ${key}, ${value})`);
    for (const [at, { name, digest, context }] of datasets.entries())
      statements.run(sql`INSERT INTO datasets VALUES (${id}, ${at}, ${name}, ${digest}, ${context ?? null})`);
  }
}

/** Why the index cannot hold a run exactly; undefined when it can. */
function problemWith(run: Run): string | undefined {
  const { runId, experimentId, runName = '', userId = '', status = '', artifactUri = '', datasets } = run;
  const texts = [
    ...[runId, experimentId, runName, userId, status, artifactUri],
    ...run.metrics.keys(),
    ...[...run.params, ...run.tags].flat(),
    ...datasets.flatMap(({ name, digest, context = '' }) => [name, digest, context]),
  ];
  return texts.every(isStorable) ? undefined : 'A text of it is not valid Unicode, or holds a NUL.';
}
