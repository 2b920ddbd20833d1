import type { ServerResponse } from 'node:http';
import { compileShellPattern } from './shell-pattern.ts';

export const INVALID_HOST = 'Invalid Host header - possible DNS rebinding attack detected';

/** MLflow's answer to a host that may not speak to it. */
export function refuseHost(res: ServerResponse): void {
  res.writeHead(403, { 'content-type': 'text/plain', 'content-length': INVALID_HOST.length }).end(INVALID_HOST);
}

/**
 * Whether a `Host` header may speak to this gateway, as MLflow decides it (`mlflow/server/security_utils.py`): patterns
 * with a `*` are shell patterns, others are compared whole, and a lone `*` lets all pass. An absent header never passes.
 */
export function createHostCheck(allowedHosts: readonly string[]): (host: string | undefined) => boolean {
  const exact = new Set(allowedHosts.filter((pattern) => !pattern.includes('*')));
  const patterns = allowedHosts.filter((pattern) => pattern.includes('*')).map(compileShellPattern);
  if (allowedHosts.includes('*')) return () => true;
  return (host) =>
    Boolean(host) && (exact.has(host as string) || patterns.some((pattern) => pattern.test(host as string)));
}
