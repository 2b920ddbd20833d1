import { type Ask, openConnection } from './connection.ts';
import { openBareAnswer } from './open-bare-answer.ts';
import { type CacheStore, openCacheGateway } from './open-cache-gateway.ts';
import { peakMemoryMiB } from './process-memory.ts';
import { openSourcedConnection, type SourcedConnection } from './sourced-connection.ts';
import type { Open } from './with-services.ts';

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

/** Starts gateways with caches. A hit asks no index, so they have none: there would have to be one for each. */
export async function openMlflowSides(open: Open, urls: Urls, profile: string | undefined): Promise<MlflowSides> {
  const openCache = async (store: CacheStore, args: readonly string[] = []): Promise<CacheSide> => {
    const gateway = await openCacheGateway(open, {
      store,
      args: ['--upstream', urls.mlflow, ...args],
      profile,
      env: { GATEWAY_DIALECT: 'postgresql-c' },
    });
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
  const { server, answerWith } = await openBareAnswer(open);
  return Object.assign(await openConnection(open, server.url), { answerWith });
}
