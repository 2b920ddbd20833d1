import { GatewayError } from '../../src/errors/gateway-error.ts';

/** All there are. What else a path could hold, dots and escapes above all, may lead out of the workspace. */
const FORM = /^\/api\/2\.0\/[\w/-]+$/;

/**
 * What came with MLflow 3 and is not there in Azure (Azure/azure-sdk-for-python#44896, #40261). Traces are answered 403 there,
 * which keeps MLflow's clients from going back to older ways, as they do after `ENDPOINT_NOT_FOUND`.
 */
const ABSENT = /^\/api\/2\.0\/(?:preview\/)?mlflow\/(?:logged-models|traces|prompts|scorers)(?:\/|$)/;

/** Whether a path, with or without its query, is known not to be one of Azure's. */
export function isAbsentEndpoint(path: string): boolean {
  const bare = withoutQuery(path);
  return !FORM.test(bare) || ABSENT.test(bare);
}

/** The answer to it, in Azure's place. */
export const absentEndpoint = (path: string): GatewayError =>
  new GatewayError('ENDPOINT_NOT_FOUND', `Azure Machine Learning does not have ${withoutQuery(path)}.`);

const withoutQuery = (path: string) => path.replace(/\?.*/s, '');
