import { isIPv6 } from 'node:net';
import type { Config } from '../config/schema.ts';

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

/** Asks where the configuration makes a gateway listen. */
export async function askGateway({ listen }: Config): Promise<GatewayStatus | undefined> {
  const host = EVERY_ADDRESS[listen.host] ?? listen.host;
  const url = `http://${isIPv6(host) ? `[${host}]` : host}:${listen.port}`;
  try {
    const answer = await fetch(`${url}/gateway/status`, { signal: AbortSignal.timeout(TIMEOUT_MS) });
    const { index } = (await answer.json()) as { index?: Omit<GatewayStatus, 'url'> | 'none' };
    if (typeof index !== 'object') return undefined;
    const { epoch, superseded, dirtyRuns, oldestDirtyAgeMs } = index;
    return { url, epoch, superseded, dirtyRuns, oldestDirtyAgeMs } as GatewayStatus;
  } catch {
    return undefined;
  }
}
