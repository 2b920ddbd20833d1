import type { RecordedRequest } from './recorder.ts';

/** A POST to an endpoint of MLflow's for runs. */
export const toApiRequest = (
  endpoint: string,
  body: object,
  headers: Readonly<Record<string, string>> = {},
): RecordedRequest => ({
  method: 'POST',
  path: `/api/2.0/mlflow/runs/${endpoint}`,
  headers: { 'content-type': 'application/json', ...headers },
  body: Buffer.from(JSON.stringify(body)),
});
