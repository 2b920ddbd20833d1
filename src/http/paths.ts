/** The path of a request target, without its query. */
export function pathOf(target: string): string {
  const query = target.indexOf('?');
  return query === -1 ? target : target.slice(0, query);
}

export function queryOf(target: string): string {
  const query = target.indexOf('?');
  return query === -1 ? '' : target.slice(query + 1);
}

const PREVIEW = /^\/(api|ajax-api)\/2\.0\/preview\/mlflow\//;

/** The old REST documentation's paths, which today's server has dropped, in today's form. */
export function withoutPreview(target: string): string {
  return target.includes('/preview/') ? target.replace(PREVIEW, '/$1/2.0/mlflow/') : target;
}

/** The prefixes under which MLflow serves the same handlers. */
export const API_PREFIXES = ['/api/2.0/mlflow/', '/ajax-api/2.0/mlflow/'] as const;
