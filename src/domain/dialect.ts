/**
 * The database below an MLflow server. MLflow hands LIKE, ILIKE and text order to it, so answers differ:
 * SQLite folds ASCII letters only and has no LIKE escape; PostgreSQL and MySQL escape with a backslash, fold Unicode
 * letters and order text by a collation the gateway cannot know. `postgresql-c` is one of which somebody said that its collation
 * is C or C.UTF-8: text is ordered by its bytes.
 */
export type Dialect = 'sqlite' | 'postgresql' | 'postgresql-c' | 'mysql';
