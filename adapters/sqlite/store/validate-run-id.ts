import { pythonJson } from '../../../src/domain/python-text.ts';
import { invalidParameter } from '../../../src/errors/gateway-error.ts';

/** The two endpoints that look at more than one thing check the id first. @throws GatewayError INVALID_PARAMETER_VALUE */
export function validateRunId(runId: string): void {
  if (/^[a-zA-Z0-9][\p{L}\p{N}_-]{0,255}\n?$/u.test(runId)) return;
  throw invalidParameter(`Invalid value ${pythonJson(runId)} for parameter 'run_id' supplied.`);
}
