import { hash } from 'node:crypto';
import type { RedisClient } from './connect-redis.ts';

export interface Script {
  readonly lua: string;
  readonly sha1: string;
}

export const scriptOf = (lua: string): Script => ({ lua, sha1: hash('sha1', lua) });

/** Runs a script on the node of its keys, which are in one slot; makes it known there first, if need be. */
export async function runScript(
  redis: RedisClient,
  { lua, sha1 }: Script,
  keys: readonly string[],
  args: readonly string[],
): Promise<unknown> {
  try {
    return await redis.evalsha(sha1, keys.length, ...keys, ...args);
  } catch (error) {
    if (!(error as Error).message.startsWith('NOSCRIPT')) throw error;
    return redis.eval(lua, keys.length, ...keys, ...args);
  }
}
