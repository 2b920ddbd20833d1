/**
 * What a store keeps beside {@link RUN_TABLES}, in one migration with them.
 *
 * - Params and tags are shown in the order of their `position` in the run, metrics and tags of experiments in that of their
 *   `id`: the order in which they were logged.
 * - `metric_series` holds where the latest value of a key was logged; the value itself is in `metrics`, where searches
 *   look.
 * - `metric_points` is the history, clustered in the order in which MLflow returns it.
 * - A dataset is known by name and digest within its experiment; `datasets` says which run used it, under a position.
 */
export const STORE_TABLES = `
CREATE TABLE experiments (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT NOT NULL UNIQUE,
  artifact_location TEXT NOT NULL,
  stage TEXT NOT NULL,
  creation_time INTEGER NOT NULL,
  last_update_time INTEGER NOT NULL
) STRICT;
INSERT INTO experiments
SELECT 0, 'Default', 'mlflow-artifacts:/0', 'active', now, now
FROM (SELECT CAST(unixepoch('subsec') * 1000 AS INTEGER) AS now);

CREATE TABLE experiment_tags (
  id INTEGER PRIMARY KEY,
  experiment INTEGER NOT NULL REFERENCES experiments ON DELETE CASCADE,
  key TEXT NOT NULL,
  value TEXT NOT NULL,
  UNIQUE (experiment, key)
) STRICT;

ALTER TABLE params ADD COLUMN position INTEGER NOT NULL DEFAULT 0;
ALTER TABLE tags ADD COLUMN position INTEGER NOT NULL DEFAULT 0;

CREATE TABLE metric_series (
  id INTEGER PRIMARY KEY,
  run INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE,
  key TEXT NOT NULL,
  timestamp INTEGER NOT NULL,
  step INTEGER NOT NULL,
  UNIQUE (run, key)
) STRICT;

CREATE TABLE metric_points (
  series INTEGER NOT NULL REFERENCES metric_series ON DELETE CASCADE,
  timestamp INTEGER NOT NULL,
  step INTEGER NOT NULL,
  value REAL NOT NULL,
  nan INTEGER NOT NULL,
  PRIMARY KEY (series, timestamp, step, value, nan)
) STRICT, WITHOUT ROWID;

CREATE TABLE dataset_details (
  id INTEGER PRIMARY KEY,
  experiment_id TEXT NOT NULL,
  name TEXT NOT NULL,
  digest TEXT NOT NULL,
  source_type TEXT NOT NULL,
  source TEXT NOT NULL,
  schema TEXT,
  profile TEXT,
  UNIQUE (experiment_id, name, digest)
) STRICT;

CREATE TABLE dataset_tags (
  run INTEGER NOT NULL,
  position INTEGER NOT NULL,
  key TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (run, position, key),
  FOREIGN KEY (run, position) REFERENCES datasets ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

CREATE TABLE model_inputs (
  run INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE,
  model_id TEXT NOT NULL,
  PRIMARY KEY (run, model_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE model_outputs (
  run INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE,
  model_id TEXT NOT NULL,
  step INTEGER NOT NULL,
  PRIMARY KEY (run, model_id)
) STRICT, WITHOUT ROWID;
`;
