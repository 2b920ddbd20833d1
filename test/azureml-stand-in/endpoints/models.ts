import { refusal } from '../azure-error.ts';
import { toRunGuid, toRunHex } from '../ids.ts';
import type { Call, Endpoint } from '../workspace.ts';
import { textIn } from './fields.ts';

/** The registry, which the MLflow behind holds; run ids in it are GUIDs. */
export const callRegistry: Endpoint = async (call, { mlflow }) => {
  const answer =
    call.method === 'GET'
      ? await mlflow.get(call.path, call.query)
      : await mlflow.ask(call.method, call.path, withRunIds(call.body, toRunHex));
  return withRunIds(answer, toRunGuid);
};

export const searchModels: Endpoint = async (call, workspace) => {
  const filter = textIn(call.query.get('filter') ?? call.body.filter);
  if (workspace.rules.modelFilters && !isNameOnly(filter))
    throw refusal(
      `Currently unsupported filter string format (we currently do not support OR). Provided filter string: ${filter}`,
    );
  return callRegistry(call, workspace);
};

const isNameOnly = (filter: string): boolean =>
  /^\s*$|^\s*(attributes?\.)?name\s*=\s*('[^']*'|"[^"]*")\s*$/.test(filter);

/** The rename or the delete of a model as a whole. */
export const changeModel: Endpoint = async (call, workspace) => {
  if (workspace.rules.modelsKept) throw refusal('Renaming or deleting a registered model is not supported.');
  return callRegistry(call, workspace);
};

function withRunIds(value: unknown, translate: (id: string) => string): Call['body'] {
  const text = JSON.stringify(value ?? {});
  return JSON.parse(text, (key, inner) => (key === 'run_id' && typeof inner === 'string' ? translate(inner) : inner));
}
