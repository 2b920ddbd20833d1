import { startGateway } from '../test/fixtures/gateway-process.ts';
import { startChild } from './child-server.ts';
import { type Ask, openConnection } from './connection.ts';
import { gatewayEnv } from './gateway-env.ts';
import { peakMemoryMiB } from './process-memory.ts';
import { openSourcedConnection, type SourcedConnection } from './sourced-connection.ts';
import type { Open } from './with-services.ts';

/** What a cached answer comes from. */
export type CacheStore = 'memory' | 'redis';

/** A gateway with a cache. */
export interface CacheSide extends SourcedConnection {
  readonly peakMemoryMiB: () => number;
}

/** Everyone a search is put to, over one kept connection each. */
export interface MlflowSides {
  readonly mlflow: Ask;
  readonly gateway: SourcedConnection;
  readonly caches: Readonly<Record<CacheStore, CacheSide>>;
  /** Express alone, which has the answer in its hands: what a hit costs at least. */
  readonly bare: Ask & { readonly answerWith: (answer: Buffer) => Promise<void> };
}

interface Urls {
  readonly mlflow: string;
  /** Of the gateway with an index and without a cache. */
  readonly gateway: string;
  readonly redis: string;
}

/** A hit must not end while it is measured, and a busy machine is no reason to do without Redis. */
const LASTING = { GATEWAY_CACHE_TTL_SECONDS: '86400', GATEWAY_REDIS_COMMAND_TIMEOUT_MS: '5000' };

/** Starts gateways with caches. A hit asks no index, so they have none: there would have to be one for each. */
export async function openMlflowSides(open: Open, urls: Urls, profile: string | undefined): Promise<MlflowSides> {
  const openCache = async (store: CacheStore, args: readonly string[] = []): Promise<CacheSide> => {
    const gateway = await open(
      startGateway(['--upstream', urls.mlflow, ...args], {
        ...gatewayEnv(profile),
        ...LASTING,
        GATEWAY_CACHE_STORE: store,
        GATEWAY_DIALECT: 'postgresql-c',
      }),
    );
    const connection = await openSourcedConnection(open, gateway.url);
    return { ...connection, peakMemoryMiB: () => peakMemoryMiB(gateway.process.pid as number) };
  };
  return {
    mlflow: await openConnection(open, urls.mlflow),
    gateway: await openSourcedConnection(open, urls.gateway),
    caches: { memory: await openCache('memory'), redis: await openCache('redis', ['--redis', urls.redis]) },
    bare: await openBare(open),
  };
}

async function openBare(open: Open): Promise<MlflowSides['bare']> {
  const server = await open(startChild('bare-answer.ts'));
  const ask = await openConnection(open, server.url);
  return Object.assign(ask, {
    async answerWith(body: Buffer) {
      await ask({ method: 'PUT', path: '/', headers: { 'content-type': 'application/json' }, body });
    },
  });
}
