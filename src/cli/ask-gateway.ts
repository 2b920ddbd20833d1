import { isIPv6 } from 'node:net';
import type { Config } from '../config/schema.ts';
import { authorizationOf } from '../upstream/authorization.ts';

/** What the gateway of this configuration says of the index it keeps; undefined when none answers. */
export interface GatewayStatus {
  readonly url: string;
  /** Undefined when it has none, or begins anew. */
  readonly epoch?: number;
  readonly superseded?: boolean;
  readonly dirtyRuns?: number;
  readonly oldestDirtyAgeMs?: number;
}

const TIMEOUT_MS = 2_000;
const EVERY_ADDRESS: Readonly<Record<string, string>> = { '0.0.0.0': '127.0.0.1', '::': '::1' };

/** It answers, but not to nobody in particular. */
export interface AsksCaller {
  readonly url: string;
  readonly asksCaller: true;
}

/** The gateway wants to know who is calling: as with MLflow's client, the environment says so. */
const callerIn = ({
  MLFLOW_TRACKING_USERNAME: username,
  MLFLOW_TRACKING_PASSWORD: password,
  MLFLOW_TRACKING_TOKEN: token,
}: NodeJS.ProcessEnv) => authorizationOf(username && password ? { username, password } : { token });

/** Asks where the configuration makes a gateway listen. */
export async function askGateway({ listen }: Config): Promise<GatewayStatus | AsksCaller | undefined> {
  const host = EVERY_ADDRESS[listen.host] ?? listen.host;
  const url = `http://${isIPv6(host) ? `[${host}]` : host}:${listen.port}${listen.pathPrefix}`;
  try {
    const authorization = callerIn(process.env);
    const answer = await fetch(`${url}/gateway/status`, {
      signal: AbortSignal.timeout(TIMEOUT_MS),
      ...(authorization !== undefined && { headers: { authorization } }),
    });
    if ([401, 403, 429].includes(answer.status)) return { url, asksCaller: true };
    const { index } = (await answer.json()) as { index?: Omit<GatewayStatus, 'url'> | 'none' };
    if (typeof index !== 'object') return undefined;
    const { epoch, superseded, dirtyRuns, oldestDirtyAgeMs } = index;
    return { url, epoch, superseded, dirtyRuns, oldestDirtyAgeMs } as GatewayStatus;
  } catch {
    return undefined;
  }
}
