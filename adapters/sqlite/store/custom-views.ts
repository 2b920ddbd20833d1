import { invalidParameter } from '../../../src/errors/gateway-error.ts';
import { sql } from '../sql.ts';
import type { Statements } from '../statements.ts';

/** Tags in which MLflow's UI keeps views of an experiment, one each. */
const PREFIX = 'mlflow.customView.view';
const MAX_VIEWS = 50;

const isView = (key: string) => key.startsWith(PREFIX);

/** @throws GatewayError INVALID_PARAMETER_VALUE when an experiment is to begin with too many */
export function validateViews(keys: readonly string[]): void {
  if (keys.filter(isView).length > MAX_VIEWS) throw tooMany('');
}

/** Only a new tag counts: views can still be changed at the limit. @throws GatewayError INVALID_PARAMETER_VALUE */
export function validateNewView(statements: Statements, experiment: bigint, key: string): void {
  if (!isView(key)) return;
  const keys = statements
    .all<{ key: string }>(sql`SELECT key FROM experiment_tags WHERE experiment = ${experiment}`)
    .map((row) => row.key);
  if (!keys.includes(key) && keys.filter(isView).length >= MAX_VIEWS) throw tooMany(` for experiment ${experiment}`);
}

const tooMany = (where: string) =>
  invalidParameter(
    `Unable to create another custom view${where}; the maximum number of custom views per experiment is ${MAX_VIEWS}. ` +
      'Delete an existing custom view before creating a new one.',
  );
