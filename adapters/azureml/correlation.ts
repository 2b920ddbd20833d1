import type { UpstreamResponse } from '../../src/upstream/upstream-client.ts';
import { readAzureError } from './azure-error.ts';

/** What Azure's support finds a request by. */
export interface Correlation {
  /** `mise-correlation-id` of the answer. */
  readonly correlationId: string | undefined;
  /** `Correlation.operation` of an error. */
  readonly operation: string | undefined;
}

export const correlationOf = (answer: UpstreamResponse): Correlation => ({
  correlationId: answer.headers['mise-correlation-id']?.toString(),
  operation: readAzureError(answer).operation,
});
