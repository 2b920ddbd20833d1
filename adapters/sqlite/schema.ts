const textTable = (name: 'params' | 'tags') => `
CREATE TABLE ${name} (
  run INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE,
  key TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (run, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX ${name}_by_value ON ${name} (key, value, run);
`;

/**
 * What a run looks like inside, in the index and in the store alike. Small tables that searches look things up in, and
 * beside them the run's JSON text, so that a page is read by id and nothing is decoded.
 *
 * - Keyed tables are clustered by run, to test one run, and have an index by value, to find runs.
 * - A NaN is stored as 0 with a flag, as MLflow does: SQLite's own NaN is NULL.
 * - `runs_by_start` covers what every search asks of a run, so that a walk in the default order touches nothing else.
 */
export const RUN_TABLES = `
CREATE TABLE runs (
  id INTEGER PRIMARY KEY,
  run_id TEXT NOT NULL UNIQUE,
  experiment_id TEXT NOT NULL,
  stage TEXT NOT NULL,
  start_time INTEGER NOT NULL,
  end_time INTEGER,
  name TEXT,
  status TEXT,
  user_id TEXT,
  artifact_uri TEXT
) STRICT;
CREATE INDEX runs_by_start ON runs (start_time DESC, run_id, experiment_id, stage);
CREATE INDEX runs_by_experiment ON runs (experiment_id, start_time DESC, run_id, stage);
CREATE INDEX runs_by_end ON runs (end_time);
CREATE INDEX runs_by_name ON runs (name);

CREATE TABLE run_texts (id INTEGER PRIMARY KEY REFERENCES runs ON DELETE CASCADE, text TEXT NOT NULL) STRICT;

CREATE TABLE metrics (
  run INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE,
  key TEXT NOT NULL,
  value REAL NOT NULL,
  nan INTEGER NOT NULL,
  PRIMARY KEY (run, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX metrics_by_value ON metrics (key, nan, value, run);
${textTable('params')}${textTable('tags')}
CREATE TABLE datasets (
  run INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE,
  position INTEGER NOT NULL,
  name TEXT NOT NULL,
  digest TEXT NOT NULL,
  context TEXT,
  PRIMARY KEY (run, position)
) STRICT, WITHOUT ROWID;
CREATE INDEX datasets_by_name ON datasets (name, run);
CREATE INDEX datasets_by_digest ON datasets (digest, run);
CREATE INDEX datasets_by_context ON datasets (context, run);
`;

/** One sequence of versions, and epochs: what an index keeps for good. */
export const COUNTERS = `
CREATE TABLE counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;
`;

/** What an index holds in one epoch: runs, each under a version, and how far each experiment is copied. */
export const EPOCH_TABLES = `${RUN_TABLES}
CREATE TABLE versions (run INTEGER PRIMARY KEY REFERENCES runs ON DELETE CASCADE, version INTEGER NOT NULL) STRICT;
CREATE TABLE coverage (experiment_id TEXT PRIMARY KEY, epoch INTEGER NOT NULL, excluded INTEGER NOT NULL) STRICT, WITHOUT ROWID;
`;

/** Runs taken out in an epoch, each with the version that nothing older may bring it back from. */
export const REMOVALS = `
CREATE TABLE removals (run_id TEXT PRIMARY KEY, version INTEGER NOT NULL) STRICT, WITHOUT ROWID;
`;

/** What commands and the gateway tell each other: no more than one row. */
export const NOTES = `
CREATE TABLE notes (one INTEGER PRIMARY KEY CHECK (one = 1), text TEXT NOT NULL) STRICT;
`;

/** Undoes {@link EPOCH_TABLES} and {@link REMOVALS}; tables before those that they refer to. */
export const DROP_EPOCH_TABLES = [
  ...['run_texts', 'metrics', 'params', 'tags', 'datasets', 'versions', 'coverage', 'removals', 'runs'],
]
  .map((table) => `DROP TABLE ${table};`)
  .join('\n');
