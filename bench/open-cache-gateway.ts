import { type GatewayProcess, startGateway } from '../test/fixtures/gateway-process.ts';
import { gatewayEnv } from './gateway-env.ts';
import type { Open } from './with-services.ts';

/** What a cached answer comes from. */
export type CacheStore = 'memory' | 'redis';

/** A hit must not end while it is measured, and a busy machine is no reason to do without Redis. */
const LASTING = { GATEWAY_CACHE_TTL_SECONDS: '86400', GATEWAY_REDIS_COMMAND_TIMEOUT_MS: '5000' };
/** A hit in Redis is not to come from a copy in memory. */
const ROOM = { memory: {}, redis: { GATEWAY_CACHE_MAX_MEMORY_BYTES: '0' } };

export interface CacheGatewayOptions {
  readonly store: CacheStore;
  readonly args: readonly string[];
  /** Folder for a CPU profile; without one, none is written. */
  readonly profile: string | undefined;
  readonly env?: NodeJS.ProcessEnv;
}

/** Starts a gateway that keeps every answer for longer than a benchmark takes. */
export const openCacheGateway = (
  open: Open,
  { store, args, profile, env }: CacheGatewayOptions,
): Promise<GatewayProcess> =>
  open(startGateway(args, { ...gatewayEnv(profile), ...LASTING, ...ROOM[store], GATEWAY_CACHE_STORE: store, ...env }));
