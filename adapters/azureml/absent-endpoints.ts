import { GatewayError } from '../../src/errors/gateway-error.ts';

/**
 * What came with MLflow 3 and is not there in Azure (Azure/azure-sdk-for-python#44896, #40261). Traces are answered 403 there,
 * which keeps MLflow's clients from going back to older ways, as they do after `ENDPOINT_NOT_FOUND`.
 */
const ABSENT =
  /^\/(?:ajax-)?api\/(?:(?:[3-9]|\d\d)\.0\/|2\.0\/(?:preview\/)?mlflow\/(?:logged-models|traces|prompts|scorers)(?:\/|$))/;

/** Whether a path, with or without its query, is known not to exist in Azure. */
export const isAbsentEndpoint = (path: string): boolean => ABSENT.test(path.replace(/\?.*/s, ''));

/** The answer to it, in Azure's place. */
export const absentEndpoint = (path: string): GatewayError =>
  new GatewayError('ENDPOINT_NOT_FOUND', `Azure Machine Learning does not have ${path.replace(/\?.*/s, '')}.`);
