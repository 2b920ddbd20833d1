import { extname } from 'node:path';

/** What MLflow shows as plain text, whatever its registered type (`mlflow/utils/mime_type_utils.py`). */
const TEXTS: ReadonlySet<string> = new Set([
  ...['txt', 'log', 'err', 'cfg', 'conf', 'cnf', 'cf', 'ini', 'properties', 'prop', 'hocon', 'toml', 'yaml', 'yml'],
  ...['xml', 'json', 'js', 'py', 'py3', 'csv', 'tsv', 'md', 'rst', 'ipynb', 'MLmodel', 'MLproject'],
]);

/** The type of a file that MLflow serves as plain text; undefined for every other, which has its registered type. */
export const plainTextType = (name: string): string | undefined =>
  TEXTS.has(extname(name).slice(1) || name) ? 'text/plain' : undefined;
